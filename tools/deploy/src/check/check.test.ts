import { type ServiceTable, services } from '@shop/shop/services';
import { repoRoot } from '@shop/test-servers';
import { renderDeployment } from '../render';
import { filesBelow, withChanges } from './files';
import { checkDeployment, checks } from './index';

const files = filesBelow(repoRoot);

test('nothing is wrong with what this repository deploys', async () => {
  expect(await checkDeployment(files, services)).toEqual([]);
});

/** A mistake: the first `from` in `file` becomes `to`, and the check reports a problem like `expected`. */
type Mistake = [file: string, from: string | RegExp, to: string, expected: RegExp];

const compose = 'docker-compose.yml';
const swarm = 'docker-compose.swarm.yml';
const policies = 'k8s/networkpolicy.yaml';
const gateway = 'nginx/templates/default.conf.template';

const mistakes: Record<string, Mistake[]> = {
  yaml: [
    ['k8s/auth.yaml', 'kind: Service', 'kind: Service\nkind: Service', /unique/i],
    [compose, 'image: mysql:8.0', 'image: [mysql:8.0', /line \d+/],
  ],
  'compose-schema': [
    [compose, 'stop_grace_period: 15s', 'stop_grace_time: 15s', /unknown field "stop_grace_time"/],
    [compose, 'depends_on: [db, redis]', 'depends_on: db', /services\.auth\.depends_on/],
  ],
  'kubernetes-schema': [
    ['k8s/auth.yaml', 'readinessProbe:', 'readynessProbe:', /Deployment auth .*unknown field "readynessProbe"/],
    ['k8s/auth.yaml', 'ScheduleAnyway', 'ScheduleAnywhere', /whenUnsatisfiable: must be one of/],
    ['k8s/hpa.yaml', 'autoscaling/v2', 'autoscaling/v2beta2', /no schema for autoscaling\/v2beta2/],
    ['k8s/configmap.yaml', 'DB_PORT: "3306"', 'DB_PORT: 3306', /DB_PORT: must be string/],
    ['k8s/alternatives/gateway-api.yaml', 'backendRefs:', 'backends:', /unknown field "backends"/],
  ],
  images: [
    ['k8s/mysql.yaml', 'image: mysql:8.0', 'image: mysql:8.4', /image: is mysql:8\.4, in .*mysql:8\.0/],
    [compose, 'shop-file:', 'shop-files:', /Deployment file image: is shop-file:latest, in .*shop-files/],
  ],
  shutdown: [
    ['k8s/store.yaml', 'terminationGracePeriodSeconds: 30', 'terminationGracePeriodSeconds: 20', /must be over 20/],
    ['k8s/nginx.yaml', 'terminationGracePeriodSeconds: 60', 'terminationGracePeriodSeconds: 45', /must be over 45/],
    ['k8s/store.yaml', / +preStop:\n.*\n/, '            postStart: {}\n', /Deployment store preStop: must sleep/],
    [compose, 'stop_grace_period: 15s', 'stop_grace_period: 10s', /auth.*: must be over 10s/],
    ['nginx/containers/nginx.conf.template', 'shutdown_timeout 35s', 'shutdown_timeout 40s', /must be over 40s/],
  ],
  policies: [
    [policies, / +- \{ protocol: TCP, port: 8084 \}\n/, '', /nginx to store:8084: must be allowed/],
    [policies, 'port: 3306', 'port: 3307', /auth to db:3306: must be allowed/],
    [policies, / +- \{ protocol: UDP, port: 53 \}\n/, '', /auth to another namespace:53: must be allowed/],
    [policies, 'port: 587', 'port: 578', /auth to anybody:587: must be allowed/],
    [policies, 'values: [product, store, file]', 'values: [product, store]', /file to anybody:443: must be allowed/],
    [policies, 'values: [product, store, file]', 'values: [product, store, file, address]', /address .*must be denied/],
    [policies, /name: default-deny[\s\S]*?---[\s\S]*?---/, '---', /db to anybody:443: must be denied/],
    [
      policies,
      /(name: db,.*\n.*\n {2}ingress:\n) {4}- from:\n.*\n.*\n {6}/,
      '$1    - ',
      /anybody to db:3306: .*denied/,
    ],
  ],
  credentials: [
    ['k8s/mysql.yaml', 'key: DB_PASS ', 'key: REDIS_PASSWORD ', /MYSQL_PASSWORD: comes from key REDIS_PASSWORD/],
    [compose, 'MYSQL_PASSWORD: ${DB_PASS', 'MYSQL_PASSWORD: ${DB_PASSWORD', /comes from DB_PASSWORD/],
    [swarm, '[db_pass, jwt_secret', '[jwt_secret', /auth DB_PASS_FILE: .* not have the secret db_pass/],
    [swarm, 'secrets/jwt_secret', 'secrets/db_pass', /is secret db_pass, not JWT_SECRET/],
    [
      swarm,
      /(mysqld-exporter:\n {4}environment:\n).*\n.*\n/,
      '$1      A: b\n',
      /mysqld-exporter .*: comes from the shell/,
    ],
  ],
  environment: [
    ['.env.testnet', /^DB_POOL_SIZE=.*$/m, '', /DB_POOL_SIZE is read but not set/],
    [compose, 'TRUST_PROXY:', 'TRUSTED_PROXY:', /TRUSTED_PROXY is set but not read/],
    ['k8s/configmap.yaml', 'CORS_ORIGINS: ""', '', /Deployment auth: CORS_ORIGINS is read but not set/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: many', /does not start: DB_POOL_SIZE/],
    ['k8s/file.yaml', 'name: S3_ACCESS_KEY_ID', 'name: SMTP_PASS', /SMTP_PASS is set but not read/],
  ],
  connections: [
    ['k8s/hpa.yaml', 'maxReplicas: 10', 'maxReplicas: 20', /FLEET_PROCESSES: is 72, there can be 82/],
    ['k8s/auth.yaml', 'minReadySeconds: 30', 'minReadySeconds: 10', /FLEET_PROCESSES: is 72, there can be 74/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: "10"', /is 600, and 72 processes may open 10/],
    [compose, 'replicas: 2', 'replicas: 3', /FLEET_PROCESSES: is 12, there can be 18/],
    [compose, '- --max-connections=400', '- --max-connections=100', /is 100, and 12 processes may open/],
    [swarm, 'replicas: 3', 'replicas: 4', /swarm.yml: FLEET_PROCESSES: is 24, there can be 30/],
  ],
  nginx: [
    [gateway, 'server_tokens off;', 'server_tokens off', /docker-compose\.yml: [\s\S]*server_tokens/],
    ['k8s/nginx.yaml', 'from 10.0.0.0/8', 'from 10.0.0.0/80', /k8s\/nginx\.yaml: .*host not found/],
    ['k8s/nginx.yaml', 'name: NGINX_PROXY_BIND', 'name: PROXY_BIND', /nginx\.yaml: nginx needs \$\{NGINX_PROXY_BIND/],
    ['.env.local', 'CORS_ORIGINS=', 'CORS_LIST=', /compose\.yml: nginx needs \$\{CORS_ORIGINS/],
  ],
  shell: [
    ['run-services.sh', 'set -euo pipefail', 'set -euo pipefail\n[ $1 = x ]', /run-services\.sh: line \d+: .*SC2086/],
    ['k8s/redis.yaml', '"$REDIS_PASSWORD"', '$REDIS_PASSWORD', /redis\.yaml: \.spec\..*: line \d+: .*SC2086/],
    [compose, '--mysqld.username="$$DB_USER"', '--mysqld.username=$$DB_USER', /services\.mysqld-exporter.*SC2086/],
  ],
};

test('each check has its mistakes', () => {
  expect(Object.keys(mistakes)).toEqual(Object.keys(checks));
});

describe.each(Object.entries(mistakes))('%s notices', (check, list) => {
  test.each(list)('in %s: %s → %s', async (file, from, to, expected) => {
    const before = files.read(file);
    const text = before.replace(from, to);
    expect(text).not.toBe(before);
    const problems = (await checks[check]?.(withChanges(files, new Map([[file, text]])), services)) ?? [];
    expect(problems.join('\n')).toMatch(expected);
  });
});

test('a broken file is reported without the problems that follow from it', async () => {
  const broken = withChanges(files, new Map([['k8s/auth.yaml', 'kind: [']]));
  expect(await checkDeployment(broken, services)).toEqual([expect.stringMatching(/auth\.yaml: .*\[yaml\]$/)]);
});

describe('a seventh service', () => {
  // Its folder: here a copy of the store's definition.
  jest.mock(
    '@shop/review',
    () => ({ reviewService: { ...jest.requireActual('@shop/store').storeService, portKey: 'REVIEW_PORT' } }),
    { virtual: true },
  );
  const review = { ...services.store, port: 8086, portVariable: 'REVIEW_PORT', paths: ['/api/v1/reviews'], tables: [] };

  test('has nothing wrong either, once rendered', async () => {
    const seven: ServiceTable = { ...services, review };
    const rendered = withChanges(files, renderDeployment(seven));
    expect(await checkDeployment(rendered, seven)).toEqual([]);
  });

  test('whose needs are not in the table is noticed', async () => {
    const seven: ServiceTable = { ...services, review: { ...review, needs: [] } };
    const rendered = withChanges(files, renderDeployment(seven));
    expect((await checkDeployment(rendered, seven)).join('\n')).toMatch(
      /review to anybody:443: must be allowed[\s\S]*Deployment review: S3_ACCESS_KEY_ID is read but not set/,
    );
  });
});
