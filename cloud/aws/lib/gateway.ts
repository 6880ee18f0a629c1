import { Duration } from 'aws-cdk-lib';
import {
  Capability,
  type Cluster,
  ContainerImage,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
} from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  type ApplicationTargetGroup,
  type IListenerCertificate,
  SslPolicy,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { type ServiceName, serviceNames } from '../../../packages/shop/src/services';
import { acknowledgeTask } from './acknowledge';
import { MAX_HEALTHY_PERCENT } from './fleet';
import { gatewayImage } from './images';
import { GATEWAY_PORT, type Network, portOf } from './network';
import { DOMAIN, scaleByCpu } from './shop-services';

interface GatewayProps {
  network: Network;
  cluster: Cluster;
  settings: Record<string, string>;
  /** For https between CloudFront and the load balancer. */
  certificate: IListenerCertificate | undefined;
  accessLogs: IBucket;
  logs: LogGroupProps;
}

/** Read by nginx/limits.sh and by the configuration itself, which needs each of them, if only empty. */
const SETTINGS = [
  'APP_ENV',
  'CORS_ORIGINS',
  'RATE_LIMIT_PER_SECOND',
  'RATE_LIMIT_BURST',
  'RATE_LIMIT_UPLOADS_PER_SECOND',
  'RATE_LIMIT_UPLOADS_BURST',
  'CONNECTIONS_PER_CLIENT',
];

/** Longer than worker_shutdown_timeout in nginx/containers/nginx.conf.template. */
const STOP_TIMEOUT_SECONDS = 60;

/** The product's Nginx behind an internal load balancer. */
export class Gateway extends Construct {
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly service: FargateService;
  readonly targets: ApplicationTargetGroup;

  constructor(scope: Construct, id: string, props: GatewayProps) {
    super(scope, id);
    const { network, cluster } = props;
    this.loadBalancer = new ApplicationLoadBalancer(this, 'LoadBalancer', {
      vpc: network.vpc,
      internetFacing: false,
      vpcSubnets: { subnets: network.vpc.privateSubnets },
      securityGroup: network.loadBalancer,
      deletionProtection: true,
      dropInvalidHeaderFields: true,
      // Shorter than Nginx's keepalive_timeout of 30 s, so that it never uses a connection that Nginx is closing.
      idleTimeout: Duration.seconds(25),
    });
    this.loadBalancer.logAccessLogs(props.accessLogs, 'load-balancer');
    this.service = new FargateService(this, 'Service', {
      cluster,
      taskDefinition: this.taskDefinition(props),
      assignPublicIp: false,
      vpcSubnets: { subnets: network.vpc.privateSubnets },
      securityGroups: [network.gateway],
      minHealthyPercent: 100,
      maxHealthyPercent: MAX_HEALTHY_PERCENT,
      circuitBreaker: { enable: true, rollback: true },
      healthCheckGracePeriod: Duration.seconds(60),
    });
    scaleByCpu(this.service);
    const listener = this.loadBalancer.addListener('Listener', {
      open: false,
      ...(props.certificate
        ? {
            protocol: ApplicationProtocol.HTTPS,
            certificates: [props.certificate],
            sslPolicy: SslPolicy.RECOMMENDED_TLS,
          }
        : { protocol: ApplicationProtocol.HTTP }),
    });
    this.targets = listener.addTargets('Gateway', {
      protocol: ApplicationProtocol.HTTP,
      port: GATEWAY_PORT,
      targets: [this.service],
      // A file of Nginx itself: while one service is down, the others must stay reachable.
      healthCheck: { path: '/openapi.json', interval: Duration.seconds(10), timeout: Duration.seconds(5) },
      deregistrationDelay: Duration.seconds(35),
    });
  }

  private taskDefinition({ network, settings, logs }: GatewayProps): FargateTaskDefinition {
    const definition = new FargateTaskDefinition(this, 'Task', { cpu: 512, memoryLimitMiB: 1024 });
    const upstream = (name: ServiceName): [string, string] => [
      `${name.toUpperCase()}_UPSTREAM`,
      `${name}.${DOMAIN}:${portOf(name)}`,
    ];
    definition.addVolume({ name: 'tmp' });
    const nginx = definition.addContainer('nginx', {
      image: ContainerImage.fromDockerImageAsset(gatewayImage(this)),
      logging: LogDrivers.awsLogs({ logGroup: new LogGroup(this, 'Logs', logs), streamPrefix: 'nginx' }),
      readonlyRootFilesystem: true,
      linuxParameters: new LinuxParameters(this, 'Linux', {}),
      portMappings: [{ containerPort: GATEWAY_PORT }],
      stopTimeout: Duration.seconds(STOP_TIMEOUT_SECONDS),
      environment: {
        ...Object.fromEntries(serviceNames.map(upstream)),
        ...Object.fromEntries(SETTINGS.map((name) => [name, settings[name] ?? ''])),
        NGINX_TRUSTED_NETWORK: network.vpc.vpcCidrBlock,
      },
      healthCheck: {
        command: ['CMD', 'wget', '-q', '-O', '/dev/null', 'http://127.0.0.1:8090/stub_status'],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(3),
        retries: 3,
      },
    });
    nginx.addMountPoints({ sourceVolume: 'tmp', containerPath: '/tmp', readOnly: false });
    nginx.linuxParameters?.dropCapabilities(Capability.ALL);
    acknowledgeTask(definition);
    return definition;
  }
}
