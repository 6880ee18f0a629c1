import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ProviderSchema } from '../../shared/provider-schema';
import { inputsOf } from '../../shared/record-resources';
import { repoRoot } from '../../shared/repo';
import { recordShop } from './test-stack';

const schema = new ProviderSchema(path.join(repoRoot, 'cloud/azure/node_modules/@pulumi/azure-native'));
const shop = recordShop();

test('every resource fits the schema of its provider', async () => {
  const { resources } = await shop;
  assert.ok(resources.length > 50);
  assert.deepEqual(
    resources.flatMap((resource) => schema.problemsOf(resource)),
    [],
  );
});

test('nothing can be reached from the internet but Front Door and the registry, which has no anonymous access', async () => {
  const { resources } = await shop;
  assert.equal(inputsOf(resources, 'dbformysql:Server').network.publicNetworkAccess, 'Disabled');
  assert.equal(inputsOf(resources, 'dbformysql:Server').network.delegatedSubnetResourceId, 'mysql-id');
  assert.equal(inputsOf(resources, 'RedisEnterprise').publicNetworkAccess, 'Disabled');
  const { publicNetworkAccess, networkAcls } = inputsOf(resources, 'Vault').properties;
  assert.deepEqual([publicNetworkAccess, networkAcls.defaultAction], ['Disabled', 'Deny']);
  const account = inputsOf(resources, 'StorageAccount');
  assert.deepEqual([account.publicNetworkAccess, account.networkRuleSet.defaultAction], ['Disabled', 'Deny']);
  assert.equal(account.allowBlobPublicAccess, false);
  const cluster = inputsOf(resources, 'ManagedCluster');
  assert.equal(cluster.apiServerAccessProfile.enablePrivateCluster, true);
  assert.equal(cluster.agentPoolProfiles[0].enableNodePublicIP, false);
  const { adminUserEnabled, anonymousPullEnabled } = inputsOf(resources, 'Registry');
  assert.deepEqual(
    { adminUserEnabled, anonymousPullEnabled },
    { adminUserEnabled: false, anonymousPullEnabled: false },
  );
  // The only public address is for outgoing traffic.
  const addresses = resources.filter(({ type }) => type.endsWith(':PublicIPAddress'));
  assert.deepEqual(
    addresses.map(({ name }) => name),
    ['egress'],
  );
  assert.deepEqual(inputsOf(resources, 'NatGateway').publicIpAddresses, [{ id: 'egress-id' }]);
});

test('each service with a private endpoint has its name in the network', async () => {
  const { resources } = await shop;
  const endpoints = resources.filter(({ type }) => type.endsWith(':PrivateEndpoint')).map(({ name }) => name);
  assert.deepEqual(endpoints.toSorted(), ['redis', 'uploads', 'vault']);
  for (const name of endpoints) {
    const [config] = inputsOf(resources, 'PrivateDnsZoneGroup', name).privateDnsZoneConfigs;
    assert.equal(config.privateDnsZoneId, `${name}-id`);
    assert.equal(inputsOf(resources, 'VirtualNetworkLink', name).virtualNetwork.id, 'shop-id');
  }
});

test('the WAF blocks what its managed rules find, on every path of every domain', async () => {
  const { resources } = await shop;
  const { policySettings, managedRules, sku } = inputsOf(resources, 'frontdoor:Policy');
  assert.deepEqual([policySettings.enabledState, policySettings.mode], ['Enabled', 'Prevention']);
  assert.equal(sku.name, inputsOf(resources, 'Profile').sku.name);
  const [rules] = managedRules.managedRuleSets;
  assert.deepEqual(rules, {
    ruleSetType: 'Microsoft_DefaultRuleSet',
    ruleSetVersion: '2.1',
    ruleSetAction: 'Block',
  });
  const { wafPolicy, associations } = inputsOf(resources, 'cdn:SecurityPolicy').parameters;
  assert.equal(wafPolicy.id, 'shop-id');
  assert.deepEqual(associations, [{ domains: [{ id: 'shop-id' }, { id: 'shop-id' }], patternsToMatch: ['/*'] }]);
});

test('an IP address with too many requests is blocked', async () => {
  const [rule] = inputsOf((await shop).resources, 'frontdoor:Policy').customRules.rules;
  assert.deepEqual([rule.ruleType, rule.action, rule.enabledState], ['RateLimitRule', 'Block', 'Enabled']);
  assert.deepEqual([rule.rateLimitThreshold, rule.rateLimitDurationInMinutes], [1000, 1]);
  assert.deepEqual(rule.groupBy, [{ variableName: 'SocketAddr' }]);
  assert.deepEqual(rule.matchConditions, [{ matchVariable: 'RequestUri', operator: 'Contains', matchValue: ['/'] }]);
});

test('Front Door redirects to https, sends HSTS, and reaches the gateway through the private link', async () => {
  const { resources } = await shop;
  for (const name of ['api', 'uploads']) {
    const { httpsRedirect, linkToDefaultDomain, ruleSets } = inputsOf(resources, 'Route', name);
    assert.deepEqual([httpsRedirect, linkToDefaultDomain], ['Enabled', 'Disabled']);
    assert.deepEqual(ruleSets, [{ id: 'headers-id' }]);
  }
  const [hsts] = inputsOf(resources, 'Rule').actions;
  assert.equal(hsts.parameters.headerName, 'Strict-Transport-Security');
  const { privateLink } = inputsOf(resources, 'AFDOrigin').sharedPrivateLinkResource;
  assert.equal(privateLink.id, 'shop-id/providers/Microsoft.Network/privateLinkServices/shop-gateway');
  assert.equal(inputsOf(resources, 'AFDCustomDomain').tlsSettings.minimumTlsVersion, 'TLS12');
});

test('Front Door caches uploads and nothing else', async () => {
  const { resources } = await shop;
  assert.deepEqual(inputsOf(resources, 'Route', 'api').patternsToMatch, ['/*']);
  assert.equal(inputsOf(resources, 'Route', 'api').cacheConfiguration, undefined);
  assert.deepEqual(inputsOf(resources, 'Route', 'uploads').patternsToMatch, ['/uploads/*']);
  assert.ok(inputsOf(resources, 'Route', 'uploads').cacheConfiguration);
});

test('the network has a DDoS protection plan', async () => {
  const { enableDdosProtection, ddosProtectionPlan } = inputsOf((await shop).resources, 'VirtualNetwork');
  assert.deepEqual(
    { enableDdosProtection, ddosProtectionPlan },
    { enableDdosProtection: true, ddosProtectionPlan: { id: 'shop-id' } },
  );
});

test('MySQL has a standby in another zone, 30 days of point-in-time recovery, and copies in another region', async () => {
  const { version, availabilityZone, highAvailability, backup } = inputsOf((await shop).resources, 'dbformysql:Server');
  assert.match(version, /^8\.0/);
  assert.equal(highAvailability.mode, 'ZoneRedundant');
  assert.notEqual(highAvailability.standbyAvailabilityZone, availabilityZone);
  assert.deepEqual(backup, { backupRetentionDays: 30, geoRedundantBackup: 'Enabled' });
});

test('MySQL and Redis require TLS and a password', async () => {
  const { resources } = await shop;
  assert.equal(inputsOf(resources, 'Configuration', 'require_secure_transport').value, 'ON');
  assert.equal(inputsOf(resources, 'Configuration', 'tls_version').value, 'TLSv1.2,TLSv1.3');
  assert.equal(inputsOf(resources, 'dbformysql:Server').administratorLoginPassword, 'database-password');
  assert.equal(inputsOf(resources, 'redisenterprise:Database').clientProtocol, 'Encrypted');
  assert.equal(inputsOf(resources, 'RedisEnterprise').minimumTlsVersion, '1.2');
  // The services follow no cluster's redirects.
  assert.equal(inputsOf(resources, 'redisenterprise:Database').clusteringPolicy, 'NoCluster');
});

test('the share of uploads is only in the network, and can be restored after it was deleted', async () => {
  const { resources } = await shop;
  assert.equal(inputsOf(resources, 'FileShare').enabledProtocols, 'NFS');
  assert.equal(inputsOf(resources, 'StorageAccount').allowSharedKeyAccess, false);
  const { shareDeleteRetentionPolicy } = inputsOf(resources, 'FileServiceProperties');
  assert.deepEqual(shareDeleteRetentionPolicy, { enabled: true, days: 30 });
});

test('only the pods of the shop can read its secrets, and nothing in the outputs is secret', async () => {
  const { resources, outputs } = await shop;
  const { enableRbacAuthorization, enablePurgeProtection } = inputsOf(resources, 'Vault').properties;
  assert.deepEqual(
    { enableRbacAuthorization, enablePurgeProtection },
    { enableRbacAuthorization: true, enablePurgeProtection: true },
  );
  const onVault = resources.filter(({ name }) => name === 'pods-secrets');
  assert.deepEqual(
    onVault.map(({ inputs }) => inputs.principalId),
    ['pods-principal'],
  );
  assert.equal(inputsOf(resources, 'FederatedIdentityCredential', 'pods').subject, 'system:serviceaccount:shop:shop');
  assert.equal(inputsOf(resources, 'keyvault:Secret', 'DB_PASS').secretName, 'DB-PASS');
  assert.ok(!/database-password|jwt-secret|redis-password|smtp-password/.test(JSON.stringify(outputs)));
});

test('the cluster has no local accounts, and only the environment azure of the repository can deploy', async () => {
  const { resources } = await shop;
  const cluster = inputsOf(resources, 'ManagedCluster');
  assert.deepEqual([cluster.disableLocalAccounts, cluster.aadProfile.enableAzureRBAC], [true, true]);
  assert.deepEqual([cluster.networkProfile.networkPolicy, cluster.networkProfile.podCidr], ['cilium', '10.44.0.0/16']);
  const { subject, issuer } = inputsOf(resources, 'FederatedIdentityCredential', 'deployer');
  assert.equal(subject, 'repo:example/shop:environment:azure');
  assert.equal(issuer, 'https://token.actions.githubusercontent.com');
  const roles = resources.filter(({ inputs }) => inputs.principalId === 'deployer-principal').map(({ name }) => name);
  assert.deepEqual(roles.toSorted(), ['commands', 'deploy', 'push']);
});

test('a stack can do without the plan, only log, and start without a gateway', async () => {
  await shop;
  const { resources } = await recordShop({
    'shop:ddosPlan': 'false',
    'shop:wafBlocks': 'false',
    'shop:gatewayIsUp': 'false',
  });
  assert.ok(!resources.some(({ type }) => type.endsWith(':DdosProtectionPlan')));
  assert.equal(inputsOf(resources, 'VirtualNetwork').enableDdosProtection, false);
  assert.equal(inputsOf(resources, 'frontdoor:Policy').policySettings.mode, 'Detection');
  assert.ok(!resources.some(({ type }) => /:(AFDOrigin|Route)$/.test(type)));
});
