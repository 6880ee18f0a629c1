import { type RecordedResource, recordResources } from '../../shared/record-resources';
import { createShop, type StackOutputs } from './shop';

/** What Azure would add. */
function computed({ type, name }: RecordedResource): Record<string, unknown> {
  switch (type) {
    case 'azure-native:containerservice:ManagedCluster':
      return {
        oidcIssuerProfile: { enabled: true, issuerURL: 'https://issuer.example/' },
        identityProfile: { kubeletidentity: { objectId: 'kubelet-object' } },
      };
    case 'azure-native:dbformysql:Server':
      return { fullyQualifiedDomainName: 'shop1.mysql.database.azure.com' };
    case 'azure-native:redisenterprise:RedisEnterprise':
      return { hostName: 'shop1.westeurope.redis.azure.net' };
    case 'azure-native:managedidentity:UserAssignedIdentity':
      return { principalId: `${name}-principal`, clientId: `${name}-client` };
    case 'azure-native:containerregistry:Registry':
      return { loginServer: 'shop1.azurecr.io' };
    case 'azure-native:cdn:AFDEndpoint':
      return { hostName: 'shop1.z01.azurefd.net' };
    case 'azure-native:cdn:AFDCustomDomain':
      return { validationProperties: { validationToken: 'token' } };
    default:
      return {};
  }
}

const results = {
  'azure-native:authorization:getClientConfig': { tenantId: 'tenant', clientId: '', objectId: '', subscriptionId: '' },
  'azure-native:redisenterprise:listDatabaseKeys': { primaryKey: 'redis-password', secondaryKey: '' },
};

const needed = {
  'azure-native:location': 'westeurope',
  'shop:domain': 'api.example.com',
  'shop:repository': 'example/shop',
  'shop:jwtSecret': 'jwt-secret',
  'shop:databasePassword': 'database-password',
  'shop:smtpPassword': 'smtp-password',
  'shop:gatewayIsUp': 'true',
};

export async function recordShop(config: Record<string, string> = {}) {
  const { resources, outputs } = await recordResources({ ...needed, ...config }, createShop, computed, results);
  return { resources, outputs: outputs as StackOutputs };
}
