import { type RecordedResource, recordResources } from '../../shared/record-resources';
import { createShop, type StackOutputs } from './shop';

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';

/** What Google Cloud would add. */
function computed({ type, name }: RecordedResource): Record<string, unknown> {
  switch (type) {
    case 'gcp:sql/databaseInstance:DatabaseInstance':
      return {
        dnsNames: [
          { name: 'other.sql.goog.', connectionType: 'PRIVATE_SERVICE_CONNECT' },
          { name: 'shop.example.europe-west4.sql-psa.goog.', connectionType: 'PRIVATE_SERVICES_ACCESS' },
        ],
        serverCaCerts: [{ cert: CERTIFICATE }],
      };
    case 'gcp:redis/instance:Instance':
      return { host: '10.30.0.4', port: 6378, authString: 'redis-password', serverCaCerts: [{ cert: CERTIFICATE }] };
    case 'gcp:compute/globalAddress:GlobalAddress':
      return { address: '203.0.113.7' };
    case 'gcp:serviceaccount/account:Account':
      return { email: `${name}@example.iam.gserviceaccount.com` };
    case 'gcp:storage/hmacKey:HmacKey':
      return { accessId: 'GOOG1E', secret: 'hmac-secret' };
    default:
      return {};
  }
}

const needed = {
  'gcp:project': 'example',
  'gcp:region': 'europe-west4',
  'shop:domain': 'api.example.com',
  'shop:repository': 'example/shop',
  'shop:jwtSecret': 'jwt-secret',
  'shop:databasePassword': 'database-password',
  'shop:smtpPassword': 'smtp-password',
};

export async function recordShop(config: Record<string, string> = {}) {
  const { resources, outputs } = await recordResources({ ...needed, ...config }, createShop, computed);
  return { resources, outputs: outputs as StackOutputs };
}
