import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ProviderSchema } from '../../shared/provider-schema';
import { inputsOf, type RecordedResource } from '../../shared/record-resources';
import { repoRoot } from '../../shared/repo';
import { recordShop } from './test-stack';

const schema = new ProviderSchema(path.join(repoRoot, 'cloud/gcp/node_modules/@pulumi/gcp'));
const shop = recordShop();

const rulesOf = (resources: RecordedResource[]) => inputsOf(resources, 'SecurityPolicy').rules;
const byPriority = (a: { priority: number }, b: { priority: number }) => a.priority - b.priority;

test('every resource fits the schema of its provider', async () => {
  const { resources } = await shop;
  assert.ok(resources.length > 40);
  assert.deepEqual(
    resources.flatMap((resource) => schema.problemsOf(resource)),
    [],
  );
});

test('nothing can be reached from the internet but the load balancer and the DNS name of the control plane', async () => {
  const { resources } = await shop;
  const { ipConfiguration } = inputsOf(resources, 'DatabaseInstance').settings;
  assert.equal(ipConfiguration.ipv4Enabled, false);
  assert.equal(ipConfiguration.authorizedNetworks, undefined);
  assert.equal(ipConfiguration.privateNetwork, 'shop-id');
  const cache = inputsOf(resources, 'redis/instance:Instance');
  assert.equal(cache.connectMode, 'PRIVATE_SERVICE_ACCESS');
  const cluster = inputsOf(resources, 'Cluster');
  assert.deepEqual(cluster.privateClusterConfig, { enablePrivateNodes: true, enablePrivateEndpoint: true });
  assert.equal(cluster.controlPlaneEndpointsConfig.ipEndpointsConfig.enabled, false);
  const bucket = inputsOf(resources, 'Bucket');
  assert.equal(bucket.publicAccessPrevention, 'enforced');
  assert.equal(bucket.uniformBucketLevelAccess, true);
  const external = resources.filter(({ inputs }) => inputs.addressType === 'EXTERNAL');
  assert.deepEqual(
    external.map(({ name }) => name),
    ['edge'],
  );
  assert.ok(!/allUsers|allAuthenticatedUsers/.test(JSON.stringify(resources)));
});

test('the cluster is VPC-native, and its pods have the range that the services trust', async () => {
  const { resources } = await shop;
  const cluster = inputsOf(resources, 'Cluster');
  assert.equal(cluster.networkingMode, 'VPC_NATIVE');
  assert.equal(cluster.enableAutopilot, true);
  const ranges = inputsOf(resources, 'Subnetwork').secondaryIpRanges;
  const names = ranges.map(({ rangeName }: { rangeName: string }) => rangeName);
  const { clusterSecondaryRangeName, servicesSecondaryRangeName } = cluster.ipAllocationPolicy;
  assert.deepEqual(names, [clusterSecondaryRangeName, servicesSecondaryRangeName]);
});

test('the WAF blocks, before the rate limit and before the default rule', async () => {
  const rules = rulesOf((await shop).resources).toSorted(byPriority);
  const waf = rules.slice(0, -2);
  for (const name of ['sqli', 'xss', 'lfi', 'rce', 'protocolattack']) {
    const found = waf.filter(({ match }: { match: { expr: { expression: string } } }) =>
      match.expr.expression.includes(`'${name}-v33-stable'`),
    );
    assert.equal(found.length, 1, name);
  }
  for (const { action, preview } of waf) assert.deepEqual({ action, preview }, { action: 'deny(403)', preview: false });
  const [limit, rest] = rules.slice(-2);
  assert.equal(limit.action, 'rate_based_ban');
  assert.deepEqual(rest.match.config.srcIpRanges, ['*']);
  assert.equal(rest.priority, 2_147_483_647);
});

test('an IP address with too many requests is banned', async () => {
  const limit = rulesOf((await shop).resources).find(({ action }: { action: string }) => action === 'rate_based_ban');
  assert.deepEqual(limit.rateLimitOptions, {
    enforceOnKey: 'IP',
    conformAction: 'allow',
    exceedAction: 'deny(429)',
    rateLimitThreshold: { count: 1000, intervalSec: 60 },
    banDurationSec: 300,
  });
});

test('adaptive protection is on', async () => {
  const { adaptiveProtectionConfig } = inputsOf((await shop).resources, 'SecurityPolicy');
  assert.equal(adaptiveProtectionConfig.layer7DdosDefenseConfig.enable, true);
});

test('the WAF only logs if the stack says so', async () => {
  await shop;
  const { resources } = await recordShop({ 'shop:wafPreview': 'true', 'shop:requestsPerMinute': '50' });
  const rules = rulesOf(resources);
  assert.ok(rules.slice(0, -2).every(({ preview }: { preview: boolean }) => preview));
  assert.equal(rules.at(-2).rateLimitOptions.rateLimitThreshold.count, 50);
});

test('MySQL has a standby, backups with point-in-time recovery, and protection from deletion', async () => {
  const { databaseVersion, deletionProtection, settings } = inputsOf((await shop).resources, 'DatabaseInstance');
  assert.equal(databaseVersion, 'MYSQL_8_0');
  assert.equal(deletionProtection, true);
  assert.equal(settings.deletionProtectionEnabled, true);
  assert.equal(settings.availabilityType, 'REGIONAL');
  const { enabled, binaryLogEnabled, transactionLogRetentionDays, backupRetentionSettings } =
    settings.backupConfiguration;
  assert.deepEqual({ enabled, binaryLogEnabled }, { enabled: true, binaryLogEnabled: true });
  assert.equal(transactionLogRetentionDays, 7);
  assert.ok(backupRetentionSettings.retainedBackups >= 7);
});

test('MySQL and Redis require TLS and a password', async () => {
  const { resources } = await shop;
  const { sslMode, serverCaMode } = inputsOf(resources, 'DatabaseInstance').settings.ipConfiguration;
  // The services verify the host name, which the certificates of the default CA do not contain.
  assert.deepEqual({ sslMode, serverCaMode }, { sslMode: 'ENCRYPTED_ONLY', serverCaMode: 'GOOGLE_MANAGED_CAS_CA' });
  assert.equal(inputsOf(resources, 'User').password, 'database-password');
  const { authEnabled, transitEncryptionMode } = inputsOf(resources, 'redis/instance:Instance');
  assert.deepEqual(
    { authEnabled, transitEncryptionMode },
    { authEnabled: true, transitEncryptionMode: 'SERVER_AUTHENTICATION' },
  );
  assert.equal(inputsOf(resources, 'SSLPolicy').minTlsVersion, 'TLS_1_2');
});

test('deleted uploads can be restored, and the key of the bucket belongs to an account that can do nothing else', async () => {
  const { resources } = await shop;
  const bucket = inputsOf(resources, 'Bucket');
  assert.equal(bucket.versioning.enabled, true);
  assert.equal(bucket.forceDestroy, false);
  const account = inputsOf(resources, 'HmacKey').serviceAccountEmail;
  const roles = resources.filter(({ inputs }) => inputs.member === `serviceAccount:${account}`);
  assert.deepEqual(
    roles.map(({ type, inputs }) => [type, inputs.role]),
    [['gcp:storage/bucketIAMMember:BucketIAMMember', 'roles/storage.objectUser']],
  );
});

test('only the pods of the shop can read its secrets, and nothing in the outputs is secret', async () => {
  const { resources, outputs } = await shop;
  const values = resources.filter(({ type }) => type.endsWith(':SecretVersion')).map(({ name }) => name);
  assert.deepEqual(values.sort(), outputs.secrets.toSorted());
  for (const { inputs } of resources.filter(({ type }) => type.endsWith(':SecretIamMember'))) {
    assert.equal(inputs.member, `serviceAccount:${outputs.podsAccount}`);
    assert.equal(inputs.role, 'roles/secretmanager.secretAccessor');
  }
  assert.equal(inputsOf(resources, 'IAMMember', 'pods').member, 'serviceAccount:example.svc.id.goog[shop/shop]');
  assert.ok(!/database-password|jwt-secret|redis-password|hmac-secret|smtp-password/.test(JSON.stringify(outputs)));
});

test('only the environment gcp of the repository can deploy, without a key', async () => {
  const { resources } = await shop;
  const { attributeCondition, oidc } = inputsOf(resources, 'WorkloadIdentityPoolProvider');
  assert.equal(attributeCondition, "assertion.sub == 'repo:example/shop:environment:gcp'");
  assert.equal(oidc.issuerUri, 'https://token.actions.githubusercontent.com');
  assert.ok(!resources.some(({ type }) => type.endsWith(':Key')));
  assert.equal(inputsOf(resources, 'Repository').dockerConfig.immutableTags, true);
});
