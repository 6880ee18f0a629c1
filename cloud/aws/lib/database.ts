import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { InstanceClass, InstanceSize, InstanceType, type SecurityGroup, SubnetType } from 'aws-cdk-lib/aws-ec2';
import {
  CaCertificate,
  Credentials,
  DatabaseInstance,
  DatabaseInstanceEngine,
  DatabaseInstanceReadReplica,
  MysqlEngineVersion,
  ParameterGroup,
  StorageType,
} from 'aws-cdk-lib/aws-rds';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { managedPolicy, STANDARD_PORT } from './acknowledge';
import { MAX_CONNECTIONS } from './fleet';
import { LOG_RETENTION, MYSQL_PORT, type Network } from './network';

interface DatabaseProps {
  network: Network;
  /** `8.0.46`. */
  version: string;
  name: string;
}

/** MySQL in two zones, and a read replica for reports, so that a slow report cannot slow down an order. */
export class Database extends Construct {
  readonly instance: DatabaseInstance;
  readonly replica: DatabaseInstanceReadReplica;
  readonly user = 'shop';
  readonly secret: ISecret;

  constructor(scope: Construct, id: string, { network, version, name }: DatabaseProps) {
    super(scope, id);
    const engine = DatabaseInstanceEngine.mysql({
      version: MysqlEngineVersion.of(version, version.split('.').slice(0, 2).join('.')),
    });
    const parameterGroup = new ParameterGroup(this, 'Parameters', {
      engine,
      description: 'As the MySQL of docker-compose.yml, and only over TLS',
      parameters: {
        require_secure_transport: '1',
        max_connections: String(MAX_CONNECTIONS),
        character_set_server: 'utf8mb4',
        collation_server: 'utf8mb4_unicode_ci',
        // An acknowledged order is on the disks of both zones.
        innodb_flush_log_at_trx_commit: '1',
        slow_query_log: '1',
        long_query_time: '1',
        log_output: 'FILE',
      },
    });
    const credentials = Credentials.fromGeneratedSecret(this.user);
    const common = (group: SecurityGroup) => ({
      vpc: network.vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      publiclyAccessible: false,
      securityGroups: [group],
      port: MYSQL_PORT,
      instanceType: InstanceType.of(InstanceClass.M7G, InstanceSize.LARGE),
      parameterGroup,
      caCertificate: CaCertificate.RDS_CA_RSA2048_G1,
      storageType: StorageType.GP3,
      maxAllocatedStorage: 1000,
      deletionProtection: true,
      autoMinorVersionUpgrade: true,
      monitoringInterval: Duration.minutes(1),
      cloudwatchLogsExports: ['error', 'slowquery'],
      cloudwatchLogsRetention: LOG_RETENTION,
    });
    this.instance = new DatabaseInstance(this, 'Mysql', {
      ...common(network.database),
      engine,
      credentials,
      databaseName: name,
      allocatedStorage: 100,
      // The replica inherits it.
      storageEncrypted: true,
      multiAz: true,
      backupRetention: Duration.days(14),
      preferredBackupWindow: '02:00-03:00',
      preferredMaintenanceWindow: 'sun:03:30-sun:04:30',
      copyTagsToSnapshot: true,
      removalPolicy: RemovalPolicy.SNAPSHOT,
    });
    if (!this.instance.secret) throw new Error('the credentials have a generated secret');
    this.secret = this.instance.secret;
    this.replica = new DatabaseInstanceReadReplica(this, 'Reports', {
      ...common(network.replica),
      sourceDatabaseInstance: this.instance,
      removalPolicy: RemovalPolicy.DESTROY,
    });

    Validations.of(this).acknowledge({
      id: managedPolicy('service-role/AmazonRDSEnhancedMonitoringRole'),
      reason: 'Permits RDS to write its own metrics, and nothing else.',
    });
    Validations.of(this.instance).acknowledge(
      { id: 'AwsSolutions-RDS11', reason: STANDARD_PORT },
      {
        id: 'AwsSolutions-SMG4',
        reason:
          'Services read the password when they start, so a rotation on a schedule would lock out running tasks. README.md: how to rotate it.',
      },
    );
    Validations.of(this.replica).acknowledge(
      { id: 'AwsSolutions-RDS11', reason: STANDARD_PORT },
      {
        id: 'AwsSolutions-RDS2',
        reason: 'A replica is encrypted if its source is. CloudFormation rejects the property here.',
      },
      { id: 'AwsSolutions-RDS3', reason: 'Reports can wait for a new replica. The shop does not use it.' },
      { id: 'AwsSolutions-RDS13', reason: 'Everything on the replica is on the primary, which has backups.' },
    );
  }
}
