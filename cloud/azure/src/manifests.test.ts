import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'yaml';
import { manifestChecks } from '../../shared/check-manifests';
import { objectNamed } from '../../shared/kubernetes-objects';
import { inputsOf } from '../../shared/record-resources';
import { manifestsFor } from './manifests';
import { recordShop } from './test-stack';

const shop = recordShop().then(({ resources, outputs }) => ({
  resources,
  stack: outputs,
  objects: manifestsFor(outputs, '1.2.3', { SMTP_HOST: 'mail.example.com', DB_HOST: 'contradicts the stack' }),
  expected: {
    registry: 'shop1.azurecr.io',
    version: '1.2.3',
    secrets: outputs.secrets,
    data: { network: '10.40.16.0/23', mysqlPort: 3306, redisPort: 10_000 },
    loadBalancer: { networks: ['10.40.18.0/24'], trusted: [] },
    maxConnections: Number(inputsOf(resources, 'Configuration', 'max_connections').value),
  },
}));

for (const [name, check] of Object.entries(manifestChecks)) {
  test(`the manifests ${name}`, async () => {
    const { objects, expected } = await shop;
    check(objects, expected);
  });
}

test('every secret that the pods of k8s/ need exists, but those of a bucket', async () => {
  const { stack } = await shop;
  assert.deepEqual(stack.secrets.toSorted(), ['DB_PASS', 'JWT_SECRET', 'REDIS_PASSWORD', 'SMTP_PASS']);
});

test('the pods get the secrets of the vault under the names of the settings', async () => {
  const { objects, stack } = await shop;
  const { parameters } = objectNamed(objects, 'SecretProviderClass', 'shop').spec;
  const entries = parse(parameters.objects).array.map((text: string) => parse(text));
  assert.deepEqual(
    entries.map(({ objectAlias }: { objectAlias: string }) => objectAlias),
    stack.secrets,
  );
  assert.deepEqual(entries[1], { objectName: 'DB-PASS', objectType: 'secret', objectAlias: 'DB_PASS' });
  const identity = objectNamed(objects, 'ServiceAccount', 'shop').metadata.annotations;
  assert.deepEqual(identity, { 'azure.workload.identity/client-id': parameters.clientID });
});

test('optional keys of the configuration reach the pods that read them, and no others', async () => {
  const given = { 'shop:FACTOR_KEY': 'factor-key', 'shop:JWT_SECRET_NEXT': 'next-secret' };
  const { outputs } = await recordShop(given);
  const objects = manifestsFor(outputs, '1.2.3', {});
  const filesOf = (name: string): string[] =>
    objectNamed(objects, 'Deployment', name).spec.template.spec.containers[0].env.map(
      (variable: { name: string }) => variable.name,
    );
  assert.ok(['FACTOR_KEY_FILE', 'JWT_SECRET_NEXT_FILE'].every((file) => filesOf('auth').includes(file)));
  assert.ok(filesOf('product').includes('JWT_SECRET_NEXT_FILE') && !filesOf('product').includes('FACTOR_KEY_FILE'));
  // Those that are not given are not expected.
  assert.ok(!filesOf('auth').includes('PASSWORD_PEPPER_FILE'));
});

test('the settings follow from the stack, and the operator adds the others', async () => {
  const data = objectNamed((await shop).objects, 'ConfigMap', 'shop-config').data ?? {};
  assert.equal(data.SMTP_HOST, 'mail.example.com');
  assert.equal(data.DB_HOST, 'shop1.mysql.database.azure.com');
  assert.equal(data.REDIS_HOST, 'shop1.westeurope.redis.azure.net');
  assert.deepEqual([data.DB_TLS, data.REDIS_TLS], ['on', 'on']);
  assert.deepEqual([data.UPLOAD_PATH, data.S3_BUCKET], ['/data/uploads', '']);
  assert.equal(data.TRUST_PROXY, '10.44.0.0/16');
});

test("the gateway's load balancer is internal, in the subnet that the pods believe, with the link of Front Door", async () => {
  const { objects, resources, stack } = await shop;
  const annotations = objectNamed(objects, 'Service', 'nginx').metadata.annotations ?? {};
  const value = (name: string) => annotations[`service.beta.kubernetes.io/azure-${name}`];
  assert.equal(value('load-balancer-internal'), 'true');
  assert.equal(value('load-balancer-internal-subnet'), 'entry');
  assert.equal(value('pls-ip-configuration-subnet'), 'entry');
  assert.equal(inputsOf(resources, 'Subnet', 'entry').addressPrefix, '10.40.18.0/24');
  assert.equal(inputsOf(resources, 'Subnet', 'entry').privateLinkServiceNetworkPolicies, 'Disabled');
  const { privateLink } = inputsOf(resources, 'AFDOrigin').sharedPrivateLinkResource;
  assert.match(privateLink.id, new RegExp(`/${value('pls-name')}$`));
  assert.equal(value('pls-resource-group'), stack.resourceGroup);
  // Otherwise the pods would see the node's address.
  assert.equal(objectNamed(objects, 'Service', 'nginx').spec.externalTrafficPolicy, 'Local');
});

test('the health probe of Front Door is the readiness probe of the gateway', async () => {
  const { objects, resources } = await shop;
  const [gateway] = objectNamed(objects, 'Deployment', 'nginx').spec.template.spec.containers;
  const { probePath } = inputsOf(resources, 'AFDOriginGroup').healthProbeSettings;
  assert.equal(probePath, gateway.readinessProbe.httpGet.path);
});

test('the share of the stack is the volume of uploads', async () => {
  const { objects, stack } = await shop;
  const { volumeName, accessModes } = objectNamed(objects, 'PersistentVolumeClaim', 'uploads').spec;
  assert.deepEqual(accessModes, ['ReadWriteMany']);
  const { csi, persistentVolumeReclaimPolicy, ...volume } = objectNamed(objects, 'PersistentVolume', volumeName).spec;
  assert.deepEqual(volume.accessModes, accessModes);
  assert.equal(persistentVolumeReclaimPolicy, 'Retain');
  assert.deepEqual(csi.volumeAttributes, {
    protocol: 'nfs',
    storageAccount: stack.uploads.account,
    shareName: stack.uploads.share,
  });
});
