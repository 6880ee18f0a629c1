import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestChecks } from '../../shared/check-manifests';
import { objectNamed } from '../../shared/kubernetes-objects';
import { kubernetesProblems } from '../../shared/kubernetes-schema';
import { inputsOf } from '../../shared/record-resources';
import { manifestsFor } from './manifests';
import { recordShop } from './test-stack';

const settings = { SMTP_HOST: 'mail.example.com', DB_HOST: 'contradicts the stack' };

const shop = recordShop().then(({ resources, outputs }) => {
  const flags: { name: string; value: string }[] = inputsOf(resources, 'DatabaseInstance').settings.databaseFlags;
  return {
    stack: outputs,
    objects: manifestsFor(outputs, '1.2.3', settings),
    expected: {
      registry: 'europe-west4-docker.pkg.dev/example/shop',
      version: '1.2.3',
      secrets: outputs.secrets,
      data: { network: '10.30.0.0/20', mysqlPort: 3306, redisPort: 6378 },
      loadBalancer: { networks: ['35.191.0.0/16', '130.211.0.0/22'], trusted: ['203.0.113.7'] },
      maxConnections: Number(flags.find(({ name }) => name === 'max_connections')?.value),
    },
  };
});

for (const [name, check] of Object.entries(manifestChecks)) {
  test(`the manifests ${name}`, async () => {
    const { objects, expected } = await shop;
    check(objects, expected);
  });
}

test('every secret that the pods of k8s/ need exists', async () => {
  const { stack } = await shop;
  const needed = ['JWT_SECRET', 'DB_PASS', 'REDIS_PASSWORD', 'SMTP_PASS', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'];
  assert.deepEqual(
    needed.filter((key) => !stack.secrets.includes(key)),
    [],
  );
});

test('optional keys of the configuration reach the pods that read them, and no others', async () => {
  const given = { 'shop:FACTOR_KEY': 'factor-key', 'shop:JWT_SECRET_NEXT': 'next-secret' };
  const { outputs } = await recordShop(given);
  const objects = manifestsFor(outputs, '1.2.3', settings);
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
  assert.equal(data.DB_HOST, 'shop.example.europe-west4.sql-psa.goog');
  assert.equal(data.DB_TLS, '/var/run/secrets/shop/DB_CA');
  assert.equal(data.AUTH_DB_USER, data.DB_USER);
  assert.equal(data.BACKUP_DB_USER, data.DB_USER);
  assert.equal(data.REDIS_TLS, '/var/run/secrets/shop/REDIS_CA');
  assert.equal(data.S3_ENDPOINT, 'https://storage.googleapis.com');
  assert.equal(data.S3_BUCKET, 'example-shop-uploads');
  assert.equal(data.TRUST_PROXY, '10.16.0.0/14');
});

test('a proxy in front of the load balancer is believed only if the settings name it', async () => {
  const objects = manifestsFor((await shop).stack, '1.2.3', { EDGE_NETWORKS: '198.51.100.0/24,2001:db8::/32' });
  const realIp = objectNamed(objects, 'ConfigMap', 'nginx-real-ip').data?.['real-ip.conf.template'] ?? '';
  assert.match(
    realIp,
    /set_real_ip_from 203\.0\.113\.7;\nset_real_ip_from 198\.51\.100\.0\/24;\nset_real_ip_from 2001:db8::\/32;\n/,
  );
  assert.equal(objectNamed(objects, 'ConfigMap', 'shop-config').data?.EDGE_NETWORKS, undefined);
});

test('the load balancer refers to what exists', async () => {
  const { objects, stack } = await shop;
  const { metadata, spec } = objectNamed(objects, 'Ingress', 'shop');
  const annotations = metadata.annotations ?? {};
  objectNamed(objects, 'FrontendConfig', annotations['networking.gke.io/v1beta1.FrontendConfig'] ?? '');
  objectNamed(objects, 'ManagedCertificate', annotations['networking.gke.io/managed-certificates'] ?? '');
  assert.equal(annotations['kubernetes.io/ingress.global-static-ip-name'], stack.addressName);
  const [{ host, http }] = spec.rules;
  assert.equal(host, 'api.example.com');
  const { name, port } = http.paths[0].backend.service;
  const service = objectNamed(objects, 'Service', name);
  assert.ok(service.spec.ports.some((known: { name: string }) => known.name === port.name));
  const backend = JSON.parse(service.metadata.annotations?.['cloud.google.com/backend-config'] ?? '').default;
  const { securityPolicy, healthCheck } = objectNamed(objects, 'BackendConfig', backend).spec;
  assert.equal(securityPolicy.name, stack.securityPolicy);
  const [gateway] = objectNamed(objects, 'Deployment', 'nginx').spec.template.spec.containers;
  assert.equal(healthCheck.port, gateway.ports[0].containerPort);
  assert.equal(healthCheck.requestPath, gateway.readinessProbe.httpGet.path);
});

test('the load balancer redirects to https, sends HSTS, and caches only what the services allow', async () => {
  const { objects, stack } = await shop;
  const frontend = objectNamed(objects, 'FrontendConfig', 'shop').spec;
  assert.deepEqual(frontend.redirectToHttps, { enabled: true, responseCodeName: 'PERMANENT_REDIRECT' });
  assert.equal(frontend.sslPolicy, stack.sslPolicy);
  const { cdn, customResponseHeaders, timeoutSec } = objectNamed(objects, 'BackendConfig', 'shop').spec;
  assert.equal(cdn.cacheMode, 'USE_ORIGIN_HEADERS');
  assert.match(customResponseHeaders.headers[0], /^Strict-Transport-Security: max-age=\d{8};/);
  assert.ok(timeoutSec > 60);
});

test('a FrontendConfig with a security policy is refused: the field does not exist', async () => {
  const frontend = structuredClone(objectNamed((await shop).objects, 'FrontendConfig', 'shop'));
  frontend.spec.securityPolicy = 'shop';
  assert.match(kubernetesProblems([frontend]).join(), /must NOT have additional properties.*securityPolicy/);
});
