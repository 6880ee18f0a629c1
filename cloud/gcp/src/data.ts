import * as gcp from '@pulumi/gcp';
import type { Network } from './network';
import type { Settings } from './settings';

/** MySQL with a standby in a second zone. */
export function createDatabase({ region, databaseTier, databasePassword }: Settings, { network, peering }: Network) {
  const instance = new gcp.sql.DatabaseInstance(
    'shop',
    {
      region,
      databaseVersion: 'MYSQL_8_0',
      deletionProtection: true,
      settings: {
        tier: databaseTier,
        edition: 'ENTERPRISE',
        availabilityType: 'REGIONAL',
        diskType: 'PD_SSD',
        diskAutoresize: true,
        deletionProtectionEnabled: true,
        ipConfiguration: {
          ipv4Enabled: false,
          privateNetwork: network.id,
          sslMode: 'ENCRYPTED_ONLY',
          // The default's certificates contain no host name, and the services verify it.
          serverCaMode: 'GOOGLE_MANAGED_CAS_CA',
        },
        backupConfiguration: {
          enabled: true,
          // Point-in-time recovery.
          binaryLogEnabled: true,
          transactionLogRetentionDays: 7,
          startTime: '03:00',
          backupRetentionSettings: { retainedBackups: 30, retentionUnit: 'COUNT' },
        },
        databaseFlags: [
          // 72 processes (k8s/hpa.yaml) with 8 connections each, and room for people.
          { name: 'max_connections', value: '800' },
          { name: 'slow_query_log', value: 'on' },
          { name: 'long_query_time', value: '1' },
        ],
        maintenanceWindow: { day: 2, hour: 4, updateTrack: 'stable' },
        insightsConfig: { queryInsightsEnabled: true },
      },
    },
    { dependsOn: [peering] },
  );
  const database = new gcp.sql.Database('ecommerce', {
    name: 'ecommerce',
    instance: instance.name,
    charset: 'utf8mb4',
  });
  const user = new gcp.sql.User('shop', { name: 'shop', instance: instance.name, password: databasePassword });
  return { instance, database, user };
}

/** Redis with a replica in a second zone. The shop works without it, so it has no backups. */
export function createCache({ region }: Settings, { network, peering }: Network) {
  return new gcp.redis.Instance(
    'shop',
    {
      region,
      tier: 'STANDARD_HA',
      memorySizeGb: 1,
      redisVersion: 'REDIS_7_2',
      connectMode: 'PRIVATE_SERVICE_ACCESS',
      authorizedNetwork: network.id,
      authEnabled: true,
      transitEncryptionMode: 'SERVER_AUTHENTICATION',
      redisConfigs: { 'maxmemory-policy': 'allkeys-lru' },
    },
    { dependsOn: [peering] },
  );
}
