import { repoRoot } from '../paths';
import { checkDeploy, checkNames, checks } from '.';
import { filesBelow, withChanges } from './files';
import { generatedManifests } from './generated';
import { shownProblem } from './problem';

const files = filesBelow(repoRoot);

test('nothing is wrong with what this repository deploys', async () => {
  expect((await checkDeploy(files)).map(shownProblem)).toEqual([]);
});

test('the generated manifests are those that k8s:sync would write', () => {
  for (const [file, text] of Object.entries(generatedManifests(files))) expect(files.read(file)).toBe(text);
});

/** A mistake: the first `from` in `file` becomes `to`, and the check says something like `said`. */
type Mistake = [file: string, from: string | RegExp, to: string, said: RegExp];

const mistakes: Record<string, Mistake[]> = {
  yaml: [
    ['k8s/auth.yaml', 'kind: Service', 'kind: Service\nkind: Service', /unique/i],
    ['k8s/hpa.yaml', '  name: auth', '\tname: auth', /line \d+/],
    ['docker-compose.yml', 'image: mysql:8.0', 'image: [mysql:8.0', /line \d+/],
  ],
  'compose-schema': [
    ['docker-compose.yml', 'stop_grace_period: 15s', 'stop_grace_time: 15s', /unknown field "stop_grace_time"/],
    ['docker-compose.yml', 'depends_on: [db, redis]', 'depends_on: db', /services\.auth\.depends_on/],
  ],
  'kubernetes-schema': [
    [
      'k8s/auth.yaml',
      'readinessProbe:',
      'readynessProbe:',
      /Deployment auth .*containers\.0: unknown field "readynessProbe"/,
    ],
    ['k8s/auth.yaml', 'containerPort: 8080', 'containerPort: "8080"', /containerPort: must be integer/],
    ['k8s/auth.yaml', 'ScheduleAnyway', 'ScheduleAnywhere', /whenUnsatisfiable: must be one of/],
    ['k8s/hpa.yaml', 'autoscaling/v2', 'autoscaling/v2beta2', /no schema for autoscaling\/v2beta2/],
    ['k8s/pdb.yaml', /spec:[\s\S]*?---/, 'metadata2: {}\n---', /unknown field/],
    ['k8s/ingress.yaml', 'pathType: Prefix', 'pathKind: Prefix', /required property 'pathType'/],
    ['k8s/configmap.yaml', 'DB_PORT: "3306"', 'DB_PORT: 3306', /DB_PORT: must be string/],
    ['k8s/alternatives/gateway-api.yaml', 'backendRefs:', 'backends:', /unknown field "backends"/],
  ],
  'compose-references': [
    ['docker-compose.yml', 'networks: [back]', 'networks: [rear]', /"rear" is not declared under networks/],
    ['docker-compose.yml', 'source: db-data', 'source: data', /"data" is not declared under volumes/],
    ['docker-compose.yml', '{ source: nginx-main', '{ source: nginx', /"nginx" is not declared under configs/],
    ['docker-compose.yml', 'depends_on: [db, redis]', 'depends_on: [db, cache]', /"cache", which is not there/],
    ['docker-compose.yml', './sql/schema.sql', './sql/tables.sql', /there is no sql\/tables\.sql/],
  ],
  swarm: [
    ['docker-compose.yml', /image: .*shop-auth.*/, 'init: true', /auth: has no image/],
    [
      'docker-compose.yml',
      'image: redis:7-alpine',
      'image: redis:7-alpine\n    container_name: redis',
      /container_name/,
    ],
    ['docker-compose.yml', 'depends_on: [db, redis]', 'depends_on: { db: { condition: service_healthy } }', /list/],
  ],
  'kubernetes-references': [
    ['k8s/auth.yaml', 'namespace: shop', 'namespace: store', /there is no namespace "store"/],
    ['k8s/pdb.yaml', '  namespace: shop\n', '', /names no namespace/],
    ['k8s/hpa.yaml', '  name: product\n', '  name: auth\n', /HorizontalPodAutoscaler auth: is there twice/],
    ['k8s/auth.yaml', /labels: (.*auth.*)(\s+annotations)/, 'labels: { app.kubernetes.io/name: a }$2', /own pods/],
    [
      'k8s/auth.yaml',
      'selector: { app.kubernetes.io/name: auth',
      'selector: { app.kubernetes.io/name: a',
      /Service auth .*selects no pods/,
    ],
    ['k8s/auth.yaml', 'targetPort: http', 'targetPort: web', /Deployment auth has no port web/],
    [
      'k8s/auth.yaml',
      'path: /ready, port: http',
      'path: /ready, port: 8888',
      /readinessProbe: the container has no port 8888/,
    ],
    ['k8s/auth.yaml', 'name: shop-config', 'name: config', /there is no ConfigMap "config"/],
    ['k8s/auth.yaml', 'key: SMTP_PASS', 'key: SMTP_PASSWORD', /Secret "shop-secrets" has no key "SMTP_PASSWORD"/],
    ['k8s/mysql.yaml', 'key: DB_NAME', 'key: DATABASE', /ConfigMap "shop-config" has no key "DATABASE"/],
    ['k8s/mysql.yaml', '{ key: schema.sql', '{ key: tables.sql', /ConfigMap "mysql-init" has no key "tables.sql"/],
    ['k8s/nginx.yaml', 'name: nginx-html', 'name: html', /there is no ConfigMap "html"/],
    ['k8s/file.yaml', 'claimName: uploads', 'claimName: upload', /there is no PersistentVolumeClaim "upload"/],
    ['k8s/file.yaml', '{ name: uploads, mountPath', '{ name: data, mountPath', /there is no volume "data"/],
    ['k8s/mysql.yaml', 'serviceName: db', 'serviceName: mysql', /there is no Service "mysql"/],
    ['k8s/hpa.yaml', 'kind: Deployment, name: file', 'kind: Deployment, name: files', /there is no Deployment "files"/],
    [
      'k8s/pdb.yaml',
      'matchLabels: { app.kubernetes.io/name: store',
      'matchLabels: { app.kubernetes.io/name: shop',
      /PodDisruptionBudget store .*selects no pods/,
    ],
    [
      'k8s/networkpolicy.yaml',
      'matchLabels: { app.kubernetes.io/name: redis',
      'matchLabels: { app.kubernetes.io/name: cache',
      /selects no pods/,
    ],
    [
      'k8s/networkpolicy.yaml',
      '{ protocol: TCP, port: 8000 }',
      '{ protocol: TCP, port: 80 }',
      /none of its pods has port 80/,
    ],
    ['k8s/ingress.yaml', 'name: nginx\n', 'name: gateway\n', /there is no Service "gateway"/],
    ['k8s/ingress.yaml', 'port: { name: http }', 'port: { number: 8000 }', /Service "nginx" has no port 8000/],
    ['k8s/alternatives/gateway-api.yaml', '{ name: nginx, port: 80 }', '{ name: nginx, port: 8000 }', /no port 8000/],
    ['k8s/alternatives/gateway-api.yaml', 'sectionName: http', 'sectionName: https', /no listener "https"/],
  ],
  pods: [
    ['k8s/store.yaml', 'enableServiceLinks: false', 'enableServiceLinks: true', /enableServiceLinks/],
    ['k8s/store.yaml', 'runAsNonRoot: true', 'runAsNonRoot: false', /runAsNonRoot/],
    ['k8s/store.yaml', 'runAsUser: 1000', 'runAsUser: 0', /a user other than root/],
    ['k8s/store.yaml', 'RuntimeDefault', 'Unconfined', /seccomp/],
    ['k8s/store.yaml', 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false', /readOnlyRootFilesystem/],
    ['k8s/store.yaml', 'drop: [ALL]', 'drop: [NET_RAW]', /capabilities\.drop/],
    ['k8s/store.yaml', /livenessProbe:[\s\S]*?(?=\s+readinessProbe)/, '', /livenessProbe: is missing/],
    ['k8s/store.yaml', /limits: .*/, 'limits: { cpu: "1" }', /resources\.limits\.memory: is missing/],
    ['k8s/store.yaml', 'terminationGracePeriodSeconds: 30', 'terminationGracePeriodSeconds: 15', /must be over 20/],
  ],
  names: [
    [
      'k8s/store.yaml',
      '{ name: http, port: 8084',
      '{ name: http, port: 8080',
      /Service store port: is 8080, elsewhere 8084/,
    ],
    ['k8s/store.yaml', 'prometheus.io/port: "8084"', 'prometheus.io/port: "8085"', /annotation/],
    [
      'k8s/store.yaml',
      'image: shop-store',
      'image: open-shop/store',
      /image: is open-shop\/store.*elsewhere shop-store/,
    ],
    ['k8s/mysql.yaml', 'image: mysql:8.0', 'image: mysql:8.4', /image: is mysql:8\.4, elsewhere mysql:8\.0/],
    ['k8s/mysql.yaml', '--skip-log-bin', '--log-bin', /args: is .*--log-bin/],
    ['docker-compose.yml', 'shop-file:', 'shop-files:', /services\.file\.image: is shop-files, elsewhere shop-file/],
    [
      'docker-compose.yml',
      'STORE_UPSTREAM: store:8084',
      'STORE_UPSTREAM: stores:8084',
      /STORE_UPSTREAM: is stores:8084/,
    ],
    ['k8s/nginx.yaml', 'store.shop.svc', 'store.default.svc', /STORE_UPSTREAM: is store\.default\.svc/],
    ['k8s/configmap.yaml', 'STORE_PORT: "8084"', 'STORE_PORT: "8048"', /STORE_PORT: is 8048/],
    ['.env.production', 'STORE_PORT=8084', 'STORE_PORT=8048', /STORE_PORT: is 8048/],
    ['nginx/containers/service-ports.map.template', '8084 store', '8084 stores', /store: is missing/],
    ['monitoring/prometheus.yml', 'names: [store]', 'names: [shop-store]', /shop-store: Compose has no such service/],
    ['monitoring/prometheus.yml', 'port: 8084', 'port: 8048', /store: is not asked on port 8084/],
    ['monitoring/prometheus.yml', 'redis-exporter:9121', 'redis_exporter:9121', /redis_exporter: Compose/],
    ['k8s/hpa.yaml', /---[\s\S]*?name: store[\s\S]*?---/, '---', /hpa\.yaml: \w+: is missing/],
  ],
  environment: [
    ['.env.testnet', /^DB_POOL_SIZE=.*$/m, '', /DB_POOL_SIZE is read and not given/],
    ['.env.testnet', 'DB_POOL_SIZE', 'DB_POOLSIZE', /DB_POOLSIZE is given and nobody reads it/],
    ['docker-compose.yml', 'TRUST_PROXY:', 'TRUSTED_PROXY:', /TRUSTED_PROXY is given and nobody reads it/],
    ['k8s/configmap.yaml', 'CORS_ORIGINS: ""', '', /Deployment auth: CORS_ORIGINS is read and not given/],
    ['k8s/configmap.yaml', 'LOG_LEVEL: info', 'LOG_LEVELS: info', /LOG_LEVELS is given and nobody reads it/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: many', /does not start: DB_POOL_SIZE/],
    ['k8s/file.yaml', /.*name: S3_ACCESS_KEY_ID,.*\n/, '', /S3_ACCESS_KEY_ID is read and not given/],
    [
      'k8s/store.yaml',
      /(- \{ name: )JWT_SECRET(.*\n)/,
      '$1JWT_SECRET$2            $1SMTP_PASS$2',
      /SMTP_PASS is given and nobody reads it/,
    ],
  ],
  connections: [
    ['k8s/hpa.yaml', 'maxReplicas: 10', 'maxReplicas: 20', /FLEET_PROCESSES: is 66, there can be 76/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: "10"', /is 600, and 66 processes may open 10/],
    ['docker-compose.yml', 'replicas: 2', 'replicas: 3', /FLEET_PROCESSES: is 12, there can be 18/],
    ['docker-compose.yml', '- --max-connections=400', '- --max-connections=100', /is 100, and 12 processes may open/],
  ],
  copies: [
    ['sql/schema.sql', 'CREATE TABLE', 'create table', /mysql-init schema\.sql: differs from sql\/schema\.sql/],
    ['sql/seed.sql', 'Books', 'Boots', /mysql-init seed\.sql: differs/],
    ['k8s/mysql-init.yaml', '  schema.sql:', '  tables.sql: ""\n  schema.sql:', /tables\.sql: comes from nowhere/],
    ['nginx/templates/default.conf.template', 'server_tokens off', 'server_tokens on', /nginx-templates default\.conf/],
    ['nginx/html/openapi.json', '"/api/v1/stores"', '"/api/v1/shops"', /nginx-html openapi\.json: differs/],
  ],
  nginx: [
    [
      'nginx/templates/default.conf.template',
      'server_tokens off;',
      'server_tokens off',
      /as in docker-compose\.yml: .*server_tokens/,
    ],
    [
      'k8s/nginx-config.yaml',
      'limit_req_status 429;',
      'limit_req_state 429;',
      /as in k8s\/nginx\.yaml: unknown directive "limit_req_state"/,
    ],
    [
      'k8s/nginx.yaml',
      'set_real_ip_from 10.0.0.0/8',
      'set_real_ip_from 10.0.0.0/80',
      /host not found in set_real_ip_from/,
    ],
    ['k8s/nginx.yaml', 'name: NGINX_PROXY_BIND', 'name: PROXY_BIND', /needs NGINX_PROXY_BIND, which is not set/],
    ['docker-compose.yml', 'RATE_LIMIT_BURST: ${', 'BURST: ${', /needs RATE_LIMIT_BURST, which is not set/],
  ],
  shell: [
    ['scripts/prepare.sh', 'set -euo pipefail', 'set -euo pipefail\ncd $HOME', /prepare\.sh: line \d+: .*SC2086/],
    ['run-services.sh', 'set -euo pipefail', 'set -euo pipefail\n[ $1 = x ]', /run-services\.sh: line \d+/],
    [
      'k8s/redis.yaml',
      '--requirepass "$REDIS_PASSWORD"',
      '--requirepass $REDIS_PASSWORD',
      /StatefulSet redis line \d+: .*SC2086/,
    ],
    [
      'docker-compose.yml',
      '--mysqld.username="$$DB_USER"',
      '--mysqld.username=$$DB_USER',
      /services\.mysqld-exporter.*SC2086/,
    ],
  ],
};

test('each check has its mistakes', () => {
  expect(Object.keys(mistakes)).toEqual(checkNames);
});

describe.each(Object.entries(mistakes))('%s notices', (check, list) => {
  test.each(list)('in %s: %s → %s', async (file, from, to, said) => {
    const before = files.read(file);
    const text = before.replace(from, to);
    expect(text).not.toBe(before);
    const problems = (await checks[check]?.(withChanges(files, { [file]: text }))) ?? [];
    expect(problems.map((problem) => shownProblem({ check, ...problem })).join('\n')).toMatch(said);
  });
});

test('what is wrong with a file is said before what would follow from it', async () => {
  const problems = await checkDeploy(withChanges(files, { 'k8s/auth.yaml': 'kind: [' }));
  expect(new Set(problems.map(({ check }) => check))).toEqual(new Set(['yaml']));
});

test('a manifest that is taken away is missed', async () => {
  const problems = (await checks.names?.(withChanges(files, { 'k8s/file.yaml': undefined }))) ?? [];
  expect(problems.map(({ at }) => at)).toContain('Service file port');
});
