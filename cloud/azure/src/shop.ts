import * as authorization from '@pulumi/azure-native/authorization';
import * as resources from '@pulumi/azure-native/resources';
import * as pulumi from '@pulumi/pulumi';
import { createDeployer, createRegistry } from './access';
import { createCluster } from './cluster';
import { createCache, createDatabase } from './data';
import { createEdge } from './edge';
import { createNetwork } from './network';
import { readSettings } from './settings';
import { createUploads } from './uploads';
import { createVault } from './vault';

/** What the manifests and the workflow need. Nothing in it is secret. */
export interface StackOutputs {
  resourceGroup: string;
  cluster: string;
  registry: string;
  domain: string;
  /** The name that the domain's CNAME record points to, and the value of the TXT record `_dnsauth`. */
  endpoint: string;
  domainValidation: string;
  database: { host: string; user: string; name: string };
  cache: { host: string; port: number };
  uploads: { account: string; share: string };
  vault: { name: string; tenant: string; clientId: string };
  secrets: string[];
  deployer: string;
}

export function createShop(): { [Name in keyof StackOutputs]: pulumi.Input<StackOutputs[Name]> } {
  const settings = readSettings();
  const group = new resources.ResourceGroup('shop', { location: settings.location });
  const network = createNetwork(settings, group.name);
  const cluster = createCluster(network, group);
  const { server, database } = createDatabase(settings, network);
  const cache = createCache(network);
  const { account, share } = createUploads(network);
  const secrets = {
    JWT_SECRET: settings.jwtSecret,
    DB_PASS: settings.databasePassword,
    REDIS_PASSWORD: cache.password,
    ...(settings.smtpPassword ? { SMTP_PASS: settings.smtpPassword } : {}),
    ...settings.keys,
  };
  const { tenantId } = pulumi.output(authorization.getClientConfig());
  const { vault, identity } = createVault(network, tenantId, cluster, secrets);
  const registry = createRegistry(group.name, cluster);
  const deployer = createDeployer(settings, group.name, cluster, registry);
  const { endpoint, domain } = createEdge(settings, group);
  return {
    resourceGroup: group.name,
    cluster: cluster.name,
    registry: registry.loginServer,
    domain: settings.domain,
    endpoint: endpoint.hostName,
    domainValidation: domain.validationProperties.validationToken,
    database: pulumi.output({ host: server.fullyQualifiedDomainName, user: 'shop', name: database.name }),
    cache: pulumi.output({ host: cache.cluster.hostName, port: cache.database.port.apply((port) => port ?? 0) }),
    uploads: pulumi.output({ account: account.name, share: share.name }),
    vault: pulumi.output({ name: vault.name, tenant: tenantId, clientId: identity.clientId }),
    secrets: Object.keys(secrets),
    deployer: deployer.clientId,
  };
}
