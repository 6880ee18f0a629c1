import { RemovalPolicy } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { type ServiceName, serviceNames, services } from '../../../packages/shop/src/services';

export const GATEWAY_PORT = 8000;
export const MYSQL_PORT = 3306;
export const REDIS_PORT = 6379;
/** A year of application logs is rarely needed and always paid. */
export const LOG_RETENTION = RetentionDays.THREE_MONTHS;

/**
 * Two zones with three kinds of subnets: public ones with nothing but the NAT gateways, private ones for the load balancer and
 * the tasks, and isolated ones without any route to the internet for the data. Each security group opens exactly the next hop.
 */
export class Network extends Construct {
  readonly vpc: Vpc;
  readonly loadBalancer: SecurityGroup;
  readonly gateway: SecurityGroup;
  readonly services: SecurityGroup;
  readonly database: SecurityGroup;
  /** For reports: only this group reaches the read replica. */
  readonly reports: SecurityGroup;
  readonly replica: SecurityGroup;
  readonly cache: SecurityGroup;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 2,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 },
        { name: 'data', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 },
      ],
      gatewayEndpoints: { s3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    const flowLogs = new LogGroup(this, 'FlowLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(flowLogs) });

    this.loadBalancer = this.group('LoadBalancer', 'The internal load balancer');
    this.gateway = this.group('Gateway', 'Nginx');
    // They send mail, and fetch the keys of Google sign-in.
    this.services = this.group('Services', 'The six services and the migrations', true);
    this.database = this.group('Database', 'MySQL');
    this.reports = this.group('Reports', 'Clients of the read replica');
    this.replica = this.group('Replica', 'The read replica of MySQL');
    this.cache = this.group('Cache', 'Valkey');

    this.loadBalancer.connections.allowTo(this.gateway, Port.tcp(GATEWAY_PORT));
    for (const name of serviceNames) this.gateway.connections.allowTo(this.services, Port.tcp(portOf(name)));
    this.database.addIngressRule(this.services, Port.tcp(MYSQL_PORT), 'From the services');
    this.cache.addIngressRule(this.services, Port.tcp(REDIS_PORT), 'From the services');
    this.reports.connections.allowTo(this.replica, Port.tcp(MYSQL_PORT));
  }

  private group(id: string, description: string, allowAllOutbound = false): SecurityGroup {
    return new SecurityGroup(this, id, { vpc: this.vpc, description, allowAllOutbound });
  }
}

export const portOf = (name: ServiceName): number => services[name].port;
