import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { serviceNames, services } from '../../../packages/shop/src/services';
import { EvermosStack } from '../lib/evermos-stack';
import { FLEET_PROCESSES, fargateSize } from '../lib/fleet';
import { kubernetesFiles, repoRoot } from '../lib/repository';
import { CHOSEN, type Resource, resourcesOf, templateOf, theOnly } from './support';

const template = templateOf(EvermosStack);
const definitions = resourcesOf(template, 'AWS::ECS::TaskDefinition');

function containersOf(name: string): Record<string, Resource> {
  const found = definitions.filter(({ ContainerDefinitions }) =>
    ContainerDefinitions.some((container: Resource) => container.Name === name),
  );
  assert.equal(found.length, 1, `task definitions of ${name}`);
  return Object.fromEntries(found[0]?.ContainerDefinitions.map((container: Resource) => [container.Name, container]));
}

const containerOf = (name: string): Resource => containersOf(name)[name] ?? assert.fail(`no container ${name}`);
const environmentOf = ({ Environment }: Resource): Record<string, unknown> =>
  Object.fromEntries(Environment.map(({ Name, Value }: Resource) => [Name, Value]));
const secretsOf = ({ Secrets }: Resource): string[] => Secrets.map(({ Name }: Resource) => Name).sort();

test('every service of the table runs on its port, and the gateway finds it there', () => {
  const gateway = environmentOf(containerOf('nginx'));
  for (const name of serviceNames) {
    const container = containerOf(name);
    assert.deepEqual(container.PortMappings, [{ ContainerPort: services[name].port, Protocol: 'tcp' }]);
    assert.equal(environmentOf(container)[services[name].portVariable], String(services[name].port));
    assert.equal(gateway[`${name.toUpperCase()}_UPSTREAM`], `${name}.shop.internal:${services[name].port}`);
  }
  const names = resourcesOf(template, 'AWS::ServiceDiscovery::Service').map(({ Name }) => Name);
  assert.deepEqual(names.sort(), [...serviceNames].sort());
  assert.equal(theOnly(template, 'AWS::ServiceDiscovery::PrivateDnsNamespace').Name, 'shop.internal');
});

test('the gateway has every variable that its configuration reads', () => {
  const read = (file: string) => readFileSync(path.join(repoRoot, file), 'utf8');
  const own = (file: string) => readFileSync(path.join(__dirname, '../containers/gateway', file), 'utf8');
  const used = `${read('nginx/templates/default.conf.template')}${own('real-ip.conf.template')}`.matchAll(
    /\$\{([A-Z_]+)\}/g,
  );
  const computed = [...read('nginx/limits.sh').matchAll(/^bucket ([A-Z]+)/gm)].map(([, bucket]) => `NGINX_${bucket}_`);
  const inImage = own('Dockerfile');
  const environment = environmentOf(containerOf('nginx'));
  for (const [, name = ''] of used) {
    const isSet = name in environment || inImage.includes(`${name}=`) || own('start.sh').includes(`export ${name}`);
    assert.ok(
      isSet || computed.some((prefix) => name.startsWith(prefix)) || name === 'NGINX_CONNECTIONS_PER_CLIENT',
      name,
    );
  }
});

test('services get production settings, the locations of this stack, and TLS to both servers', () => {
  const environment = environmentOf(containerOf('auth'));
  const expected = {
    APP_ENV: 'production',
    ...CHOSEN,
    REDIS_TLS: 'on',
    DB_TLS: '/etc/shop/rds.pem',
    DB_USER: 'shop',
    FLEET_PROCESSES: '90',
    DB_POOL_SIZE: '8',
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(environment[name], value, name);
  assert.deepEqual(environment.S3_BUCKET, {
    Ref: Object.keys(template.findResources('AWS::S3::Bucket', { Properties: { VersioningConfiguration: {} } }))[0],
  });
  assert.equal(FLEET_PROCESSES, 90);
});

test('secrets come from Secrets Manager, and each service gets only its own', () => {
  const common = ['DB_PASS', 'JWT_SECRET', 'REDIS_PASSWORD'];
  const ofAuth = ['FACTOR_KEY', 'PASSWORD_PEPPER'];
  for (const name of serviceNames) {
    const needs: readonly string[] = services[name].needs;
    const keys = needs.includes('uploads') ? ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] : [];
    const own = name === 'auth' ? ofAuth : [];
    assert.deepEqual(secretsOf(containerOf(name)), [...common, ...own, ...keys].sort(), name);
    for (const secret of [...common, ...ofAuth, 'SMTP_PASS', 'S3_SECRET_ACCESS_KEY']) {
      assert.ok(!(secret in environmentOf(containerOf(name))), `${secret} in the environment of ${name}`);
    }
  }
  assert.deepEqual(secretsOf(containerOf('migrate')), ['DB_PASS']);
});

test('keys that the operator has made reach the services that read them', () => {
  const rotating = templateOf(EvermosStack, { ...CHOSEN, keys: 'JWT_SECRET_NEXT,JWT_PRIVATE_KEY' });
  const secrets = Object.fromEntries(
    resourcesOf(rotating, 'AWS::ECS::TaskDefinition').flatMap(({ ContainerDefinitions }) =>
      ContainerDefinitions.map((container: Resource) => [container.Name, container]),
    ),
  );
  for (const name of serviceNames) {
    const given = secretsOf(secrets[name]);
    assert.ok(given.includes('JWT_SECRET_NEXT'), name);
    assert.equal(given.includes('JWT_PRIVATE_KEY'), name === 'auth', name);
  }
  assert.match(JSON.stringify(secrets.auth), /:secret:evermos\/jwt-private-key/);
});

test('a mail server that needs a login gets the password of the secret that the operator made', () => {
  const withLogin = templateOf(EvermosStack, { ...CHOSEN, SMTP_USER: 'shop' });
  const withPassword = resourcesOf(withLogin, 'AWS::ECS::TaskDefinition').flatMap(({ ContainerDefinitions }) =>
    ContainerDefinitions.filter(({ Secrets = [] }: Resource) =>
      Secrets.some(({ Name }: Resource) => Name === 'SMTP_PASS'),
    ),
  );
  assert.deepEqual(
    withPassword.map(({ Name }) => Name),
    ['auth'],
  );
  assert.match(JSON.stringify(withPassword), /:secret:evermos\/smtp-password/);
});

test('containers are not root, have a read-only root file system, no capabilities, and time to stop', () => {
  for (const name of [...serviceNames, 'migrate']) {
    const { [name]: container = {}, 'prepare-volumes': prepare = {} } = containersOf(name);
    assert.equal(container.User, '1000:1000');
    assert.equal(container.ReadonlyRootFilesystem, true);
    assert.deepEqual(container.LinuxParameters.Capabilities, { Drop: ['ALL'] });
    assert.ok(container.StopTimeout > 10 && container.StopTimeout <= 120);
    assert.deepEqual(container.DependsOn, [{ Condition: 'SUCCESS', ContainerName: 'prepare-volumes' }]);
    assert.equal(prepare.ReadonlyRootFilesystem, true);
    assert.equal(prepare.Essential, false);
  }
  const nginx = containerOf('nginx');
  assert.equal(nginx.ReadonlyRootFilesystem, true);
  assert.deepEqual(nginx.LinuxParameters.Capabilities, { Drop: ['ALL'] });
  const [, workerShutdown] =
    /worker_shutdown_timeout (\d+)s/.exec(
      readFileSync(path.join(repoRoot, 'nginx/containers/nginx.conf.template'), 'utf8'),
    ) ?? [];
  assert.ok(nginx.StopTimeout > Number(workerShutdown));
});

test("the health check is the Dockerfile's", () => {
  for (const name of serviceNames) {
    assert.deepEqual(containerOf(name).HealthCheck, {
      Command: ['CMD', 'node', '/app/scripts/healthcheck.mjs'],
      Interval: 15,
      Timeout: 5,
      StartPeriod: 60,
      Retries: 3,
    });
  }
});

test('tasks are at least as large as what Kubernetes requests and allows', () => {
  assert.deepEqual(fargateSize({ cpu: '250m', memory: '128Mi', memoryLimit: '384Mi', measured: '' }), {
    cpu: 1024,
    memoryLimitMiB: 2048,
  });
  assert.deepEqual(fargateSize({ cpu: '10m', memory: '1Mi', memoryLimit: '700Mi', measured: '' }), {
    cpu: 512,
    memoryLimitMiB: 1024,
  });
  assert.throws(() => fargateSize({ cpu: '1', memory: '1Mi', memoryLimit: '1Mi', measured: '' }), /1 is not in m/);
});

test('there are as many tasks as there would be pods, at the same CPU', () => {
  const hpa = kubernetesFiles().find(({ file }) => file === 'hpa.yaml')?.objects[0]?.spec;
  const targets = resourcesOf(template, 'AWS::ApplicationAutoScaling::ScalableTarget');
  assert.equal(targets.length, serviceNames.length + 1);
  for (const { MinCapacity, MaxCapacity } of targets) {
    assert.deepEqual([MinCapacity, MaxCapacity], [hpa.minReplicas, hpa.maxReplicas]);
  }
  const policies = resourcesOf(template, 'AWS::ApplicationAutoScaling::ScalingPolicy');
  assert.equal(policies.length, targets.length);
  for (const { TargetTrackingScalingPolicyConfiguration: policy } of policies) {
    assert.equal(policy.TargetValue, hpa.metrics[0].resource.target.averageUtilization);
    assert.equal(policy.PredefinedMetricSpecification.PredefinedMetricType, 'ECSServiceAverageCPUUtilization');
  }
});

test('an update waits for the migrations, loses no task, and rolls back by itself', () => {
  const [migration] = Object.keys(template.findResources('Custom::ShopMigration'));
  const found = Object.entries(template.findResources('AWS::ECS::Service'));
  assert.equal(found.length, serviceNames.length + 1);
  for (const [id, { Properties, DependsOn = [] }] of found) {
    const { DeploymentConfiguration: deployment, DesiredCount } = Properties;
    assert.deepEqual(deployment.DeploymentCircuitBreaker, { Enable: true, Rollback: true });
    assert.equal(deployment.MinimumHealthyPercent, 100);
    assert.equal(deployment.MaximumPercent, 150);
    assert.equal(DesiredCount, undefined);
    if (!id.startsWith('Gateway')) assert.ok(DependsOn.includes(migration), id);
  }
  assert.deepEqual(containerOf('migrate').EntryPoint, ['node', '/app/packages/shop/dist/migrate-main.js']);
});
