import * as mysql from '@pulumi/azure-native/dbformysql';
import * as redis from '@pulumi/azure-native/redisenterprise';
import { createPrivateEndpoint, createPrivateZone, type Network } from './network';
import type { Settings } from './settings';

const parameters = {
  require_secure_transport: 'ON',
  tls_version: 'TLSv1.2,TLSv1.3',
  // 72 processes (k8s/hpa.yaml) with 8 connections each, and room for people.
  max_connections: '800',
  slow_query_log: 'ON',
};

/** MySQL with a standby in a second zone. */
export function createDatabase({ databasePassword }: Settings, place: Network) {
  const { resourceGroupName } = place;
  const { zone, link } = createPrivateZone(place, 'mysql', 'shop.private.mysql.database.azure.com');
  const server = new mysql.Server(
    'shop',
    {
      resourceGroupName,
      version: '8.0.21',
      sku: { name: 'Standard_D4ads_v5', tier: 'GeneralPurpose' },
      administratorLogin: 'shop',
      administratorLoginPassword: databasePassword,
      availabilityZone: '1',
      highAvailability: { mode: 'ZoneRedundant', standbyAvailabilityZone: '2' },
      storage: { storageSizeGB: 128, autoGrow: 'Enabled', autoIoScaling: 'Enabled' },
      // Point-in-time recovery within these days is always on.
      backup: { backupRetentionDays: 30, geoRedundantBackup: 'Enabled' },
      network: {
        publicNetworkAccess: 'Disabled',
        delegatedSubnetResourceId: place.mysql.id,
        privateDnsZoneResourceId: zone.id,
      },
      maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 2, startHour: 4, startMinute: 0 },
    },
    { dependsOn: [link], protect: true },
  );
  const database = new mysql.Database('ecommerce', {
    resourceGroupName,
    serverName: server.name,
    databaseName: 'ecommerce',
    charset: 'utf8mb4',
  });
  for (const [configurationName, value] of Object.entries(parameters)) {
    new mysql.Configuration(configurationName, {
      resourceGroupName,
      serverName: server.name,
      configurationName,
      value,
      source: 'user-override',
    });
  }
  return { server, database };
}

/** Azure Managed Redis. The shop works without it, so it has no backups. */
export function createCache(place: Network) {
  const { resourceGroupName } = place;
  const cluster = new redis.RedisEnterprise('shop', {
    resourceGroupName,
    sku: { name: 'Balanced_B1' },
    highAvailability: 'Enabled',
    minimumTlsVersion: '1.2',
    publicNetworkAccess: 'Disabled',
  });
  const database = new redis.Database('default', {
    resourceGroupName,
    clusterName: cluster.name,
    databaseName: 'default',
    clientProtocol: 'Encrypted',
    // The services speak to one server and do not follow a cluster's redirects.
    clusteringPolicy: 'NoCluster',
    evictionPolicy: 'AllKeysLRU',
    port: 10_000,
    accessKeysAuthentication: 'Enabled',
  });
  createPrivateEndpoint(place, 'redis', {
    id: cluster.id,
    group: 'redisEnterprise',
    zone: 'privatelink.redis.azure.net',
  });
  const keys = redis.listDatabaseKeysOutput({
    resourceGroupName,
    clusterName: cluster.name,
    databaseName: database.name,
  });
  return { cluster, database, password: keys.primaryKey };
}
