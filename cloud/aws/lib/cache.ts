import { Validations } from 'aws-cdk-lib';
import { CfnParameterGroup, CfnReplicationGroup, CfnSubnetGroup } from 'aws-cdk-lib/aws-elasticache';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { STANDARD_PORT } from './acknowledge';
import { type Network, REDIS_PORT } from './network';

/** Valkey, the free successor of Redis 7.2, in two zones. The shop works without it, only slower: no backups. */
export class Cache extends Construct {
  readonly host: string;
  readonly secret: Secret;
  readonly group: CfnReplicationGroup;

  constructor(scope: Construct, id: string, network: Network) {
    super(scope, id);
    this.secret = new Secret(this, 'AuthToken', {
      description: 'REDIS_PASSWORD of the services',
      // ElastiCache allows few of the other characters.
      generateSecretString: { passwordLength: 48, excludePunctuation: true },
    });
    const subnets = new CfnSubnetGroup(this, 'Subnets', {
      description: 'Isolated subnets',
      subnetIds: network.vpc.isolatedSubnets.map(({ subnetId }) => subnetId),
    });
    const parameters = new CfnParameterGroup(this, 'Parameters', {
      cacheParameterGroupFamily: 'valkey7',
      description: 'Evicts the least used keys, as in docker-compose.yml',
      properties: { 'maxmemory-policy': 'allkeys-lru' },
    });
    this.group = new CfnReplicationGroup(this, 'Valkey', {
      replicationGroupDescription: 'Cache and rate limits of the shop',
      engine: 'valkey',
      engineVersion: '7.2',
      cacheNodeType: 'cache.t4g.small',
      cacheParameterGroupName: parameters.ref,
      cacheSubnetGroupName: subnets.ref,
      securityGroupIds: [network.cache.securityGroupId],
      port: REDIS_PORT,
      numCacheClusters: 2,
      automaticFailoverEnabled: true,
      multiAzEnabled: true,
      atRestEncryptionEnabled: true,
      transitEncryptionEnabled: true,
      transitEncryptionMode: 'required',
      authToken: this.secret.secretValue.unsafeUnwrap(),
      snapshotRetentionLimit: 0,
    });
    this.host = this.group.attrPrimaryEndPointAddress;
    Validations.of(this.group).acknowledge({
      id: 'AwsSolutions-AEC5',
      reason: STANDARD_PORT,
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Services read the token when they start, so a rotation on a schedule would lock them out. README.md: how to rotate it.',
    });
  }
}
