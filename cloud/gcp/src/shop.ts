import * as pulumi from '@pulumi/pulumi';
import { createDeployer, createRegistry, createSecrets } from './access';
import { createCluster } from './cluster';
import { createCache, createDatabase } from './data';
import { createEdge } from './edge';
import { createNetwork } from './network';
import { readSettings } from './settings';
import { createUploads } from './uploads';

/** What the manifests and the workflow need. Nothing in it is secret. */
export interface StackOutputs {
  project: string;
  region: string;
  cluster: string;
  registry: string;
  domain: string;
  address: string;
  addressName: string;
  securityPolicy: string;
  sslPolicy: string;
  database: { host: string; user: string; name: string };
  cache: { host: string; port: number };
  bucket: string;
  podsAccount: string;
  secrets: string[];
  deployer: { account: string; provider: string };
}

export function createShop(): { [Name in keyof StackOutputs]: pulumi.Input<StackOutputs[Name]> } {
  const settings = readSettings();
  const { project, region, domain } = settings;
  const network = createNetwork(settings);
  const cluster = createCluster(settings, network);
  const { instance, database, user } = createDatabase(settings, network);
  const cache = createCache(settings, network);
  const { bucket, key } = createUploads(settings);
  const secrets = createSecrets(settings, {
    JWT_SECRET: settings.jwtSecret,
    DB_PASS: settings.databasePassword,
    DB_CA: instance.serverCaCerts.apply(pemOf),
    REDIS_PASSWORD: cache.authString,
    REDIS_CA: cache.serverCaCerts.apply(pemOf),
    S3_ACCESS_KEY_ID: key.accessId,
    S3_SECRET_ACCESS_KEY: key.secret,
    ...(settings.smtpPassword ? { SMTP_PASS: settings.smtpPassword } : {}),
    ...settings.keys,
  });
  const { address, sslPolicy, securityPolicy } = createEdge(settings);
  const repository = createRegistry(settings);
  const { account, provider } = createDeployer(settings);
  return {
    project,
    region,
    domain,
    cluster: cluster.name,
    registry: pulumi.interpolate`${region}-docker.pkg.dev/${project}/${repository.repositoryId}`,
    address: address.address,
    addressName: address.name,
    securityPolicy: securityPolicy.name,
    sslPolicy: sslPolicy.name,
    database: pulumi.output({ host: instance.dnsNames.apply(privateName), user: user.name, name: database.name }),
    cache: pulumi.output({ host: cache.host, port: cache.port }),
    bucket: bucket.name,
    podsAccount: secrets.account.email,
    secrets: secrets.names,
    deployer: pulumi.output({ account: account.email, provider: provider.name }),
  };
}

const pemOf = (certificates: { cert: string }[]): string => certificates.map(({ cert }) => cert).join('\n');

/** Names end with a dot. A certificate's do not. */
function privateName(names: { name: string; connectionType: string }[]): string {
  const found = names.find(({ connectionType }) => connectionType === 'PRIVATE_SERVICES_ACCESS');
  if (!found) throw new Error('MySQL has no DNS name for its private IP address');
  return found.name.replace(/\.$/, '');
}
