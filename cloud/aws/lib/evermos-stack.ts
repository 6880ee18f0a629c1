import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import type { LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledgeFunctions } from './acknowledge';
import { Alarms } from './alarms';
import { Backups } from './backups';
import { Cache } from './cache';
import { Database } from './database';
import { certificateFor, Edge } from './edge/edge';
import { Gateway } from './gateway';
import { ServiceImages } from './images';
import { LOG_RETENTION, Network } from './network';
import { readChoices, readSettings } from './settings';
import { ShopServices } from './shop-services';
import { Uploads } from './uploads';
import { WebAcl } from './web-acl';

/**
 * The whole shop: CloudFront, WAF, an internal load balancer, Nginx, the six services on Fargate, MySQL, Valkey, a bucket.
 * In us-east-1, because what belongs to CloudFront (web ACL, certificate, metrics) is only there.
 */
export class EvermosStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { env: { region: 'us-east-1' }, terminationProtection: true });
    const choices = readChoices(this);
    const settings = readSettings(this);
    const logs: LogGroupProps = { retention: LOG_RETENTION, removalPolicy: RemovalPolicy.DESTROY };

    const network = new Network(this, 'Network');
    const accessLogs = accessLogBucket(this);
    const uploads = new Uploads(this, 'Uploads', { vpc: network.vpc, accessLogs, keySerial: choices.uploadsKeySerial });
    const database = new Database(this, 'Database', {
      network,
      version: choices.mysqlVersion,
      name: settings.DB_NAME ?? '',
    });
    const cache = new Cache(this, 'Cache', network);
    const images = new ServiceImages(this, 'Images', choices.gitRevision);
    const shop = new ShopServices(this, 'Shop', {
      network,
      database,
      cache,
      uploads,
      images,
      settings,
      operatorKeys: choices.keys,
      logs,
    });

    const certificate = certificateFor(this, choices);
    const { cluster } = shop;
    const gateway = new Gateway(this, 'Gateway', { network, cluster, settings, certificate, accessLogs, logs });
    const webAcl = new WebAcl(this, 'WebAcl', settings);
    const { loadBalancer } = gateway;
    const edge = new Edge(this, 'Edge', {
      vpc: network.vpc,
      loadBalancer,
      certificate,
      choices,
      webAcl,
      accessLogs,
      logs,
    });

    new Backups(this, 'Backups', { database: database.instance, uploads: uploads.bucket });
    new Alarms(this, 'Alarms', { choices, edge, webAcl, gateway, shop, database, cache: cache.group });

    acknowledgeFunctions(this);
    new CfnOutput(this, 'Url', { value: edge.url, description: 'npm run journey -- URL' });
    new CfnOutput(this, 'GitRevision', { value: choices.gitRevision, description: 'What runs' });
    new CfnOutput(this, 'ClusterName', { value: cluster.clusterName });
    new CfnOutput(this, 'DatabaseSecret', { value: database.secret.secretName });
    new CfnOutput(this, 'DatabaseHost', { value: database.instance.instanceEndpoint.hostname });
    new CfnOutput(this, 'ServicesSecurityGroup', { value: network.services.securityGroupId });
    new CfnOutput(this, 'ReportsHost', { value: database.replica.instanceEndpoint.hostname });
    new CfnOutput(this, 'ReportsSecurityGroup', { value: network.reports.securityGroupId });
  }
}

/** The access logs of CloudFront, the load balancer and the uploads. They contain IP addresses. */
function accessLogBucket(scope: Construct): Bucket {
  const bucket = new Bucket(scope, 'AccessLogs', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    // CloudFront delivers its logs by access control list.
    objectOwnership: ObjectOwnership.OBJECT_WRITER,
    lifecycleRules: [{ expiration: Duration.days(90) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
  Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason: 'Logging access to the logs would never end.' });
  return bucket;
}
