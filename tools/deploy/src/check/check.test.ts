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
const prometheus = 'monitoring/prometheus.yml';
const datasource = 'monitoring/grafana/provisioning/datasources/prometheus-datasource.yml';
const gatewayApi = 'k8s/alternatives/gateway-api.yaml';

const mistakes: Record<string, Mistake[]> = {
  yaml: [
    ['k8s/auth.yaml', 'kind: Service', 'kind: Service\nkind: Service', /unique/i],
    [compose, 'image: mysql:8.0', 'image: [mysql:8.0', /line \d+/],
  ],
  'compose-schema': [
    [compose, 'stop_grace_period: 15s', 'stop_grace_time: 15s', /unknown field "stop_grace_time"/],
    [compose, 'depends_on: [db, redis]', 'depends_on: db', /services\.auth\.depends_on/],
    [
      compose,
      '  backup:\n',
      '  backup:\n    profiles: [backup]\n',
      /services\.backup: docker stack deploy does not accept/,
    ],
  ],
  'kubernetes-schema': [
    ['k8s/auth.yaml', 'readinessProbe:', 'readynessProbe:', /Deployment auth .*unknown field "readynessProbe"/],
    ['k8s/auth.yaml', 'ScheduleAnyway', 'ScheduleAnywhere', /whenUnsatisfiable: must be one of/],
    ['k8s/hpa.yaml', 'autoscaling/v2', 'autoscaling/v2beta2', /no schema for autoscaling\/v2beta2/],
    ['k8s/configmap.yaml', 'DB_PORT: "3306"', 'DB_PORT: 3306', /DB_PORT: must be string/],
    ['k8s/alternatives/gateway-api.yaml', 'backendRefs:', 'backends:', /unknown field "backends"/],
  ],
  rendered: [
    ['k8s/auth.yaml', 'name: http', 'name: web', /k8s\/auth\.yaml: .* run npm run deploy:render/],
    ['Dockerfile', 'FROM', 'from', /Dockerfile: differs from its rendering/],
    ['.env.testnet', /^AUTH_PORT=.*/m, 'AUTH_PORT=8090', /\.env\.testnet: differs from its rendering/],
  ],
  references: [
    ['k8s/redis.yaml', 'namespace: shop', 'namespace: store', /Service redis: there is no Namespace "store"/],
    ['k8s/pdb.yaml', '  namespace: shop\n', '', /PodDisruptionBudget auth: there is no Namespace ""/],
    ['k8s/redis-pvc.yaml', 'name: redis-data', 'name: db-data', /db-data: is also defined in k8s\/mysql-pvc\.yaml/],
    ['k8s/mysql.yaml', 'key: DB_NAME', 'key: DATABASE', /StatefulSet db: ConfigMap "shop-config" has no "DATABASE"/],
    ['k8s/mysql.yaml', '{ key: schema.sql', '{ key: tables.sql', /ConfigMap "mysql-init" has no "tables\.sql"/],
    ['k8s/redis.yaml', 'name: shop-secrets', 'name: shop-secret', /there is no Secret "shop-secret"/],
    ['k8s/auth.yaml', 'key: SMTP_PASS ', 'key: SMTP_PASSWORD ', /Secret "shop-secrets" has no "SMTP_PASSWORD"/],
    ['k8s/auth.yaml', 'configMapRef: { name: shop-config', 'configMapRef: { name: config', /no ConfigMap "config"/],
    ['k8s/nginx.yaml', 'configMap: { name: nginx-html', 'configMap: { name: html', /there is no ConfigMap "html"/],
    ['k8s/mysql-pvc.yaml', 'name: db-data', 'name: mysql-data', /there is no PersistentVolumeClaim "db-data"/],
    ['k8s/backup.yaml', 'claimName: backups', 'claimName: backup', /CronJob backup: .*PersistentVolumeClaim "backup"/],
    ['k8s/redis.yaml', 'name: data, mountPath', 'name: dat, mountPath', /no volume "dat"[\s\S]*"data" is not mounted/],
    ['k8s/mysql.yaml', 'name: db\n', 'name: mysql\n', /shop-config: there is no Service "db"/],
    ['k8s/mysql.yaml', 'serviceName: db', 'serviceName: mysql', /StatefulSet db: there is no Service "mysql"/],
    [
      'k8s/redis.yaml',
      'selector: { app.kubernetes.io/name: redis',
      'selector: { app.kubernetes.io/name: cache',
      /nothing/,
    ],
    [
      'k8s/redis.yaml',
      'selector: { app.kubernetes.io/name: redis',
      'selector: { app.kubernetes.io/name: db',
      /pods of db/,
    ],
    [
      'k8s/mysql.yaml',
      'matchLabels: { app.kubernetes.io/name: db',
      'matchLabels: { app.kubernetes.io/name: d',
      /its own pods/,
    ],
    ['k8s/redis.yaml', 'targetPort: redis', 'targetPort: cache', /Service redis: the pods have no port cache/],
    ['k8s/redis.yaml', 'containerPort: 6379', 'containerPort: 6380', /redis does not listen on port 6380/],
    [
      'k8s/mysql.yaml',
      'tcpSocket: { port: mysql',
      'tcpSocket: { port: msql',
      /probe uses port msql, which db does not have/,
    ],
    ['k8s/store.yaml', 'path: /health, port: http', 'path: /health, port: htp', /probe uses port htp/],
    ['k8s/configmap.yaml', 'DB_HOST: db', 'DB_HOST: mysql', /shop-config: there is no Service "mysql"/],
    ['k8s/configmap.yaml', 'DB_PORT: "3306"', 'DB_PORT: "3307"', /Service "db" has no "3307"/],
    ['k8s/configmap.yaml', 'REDIS_HOST: redis', 'REDIS_HOST: cache', /there is no Service "cache"/],
    ['k8s/nginx.yaml', 'auth.shop.svc.cluster.local:8080', 'auth.shop.svc.cluster.local:8081', /"auth" has no "8081"/],
    ['k8s/nginx.yaml', 'auth.shop.svc', 'auth.default.svc', /there is no Namespace "default"/],
    ['k8s/ingress.yaml', 'name: nginx\n', 'name: gateway\n', /there is no Service "gateway"/],
    ['k8s/ingress.yaml', 'port: { name: http }', 'port: { number: 8000 }', /Service "nginx" has no "8000"/],
    [gatewayApi, '{ name: nginx, port: 80 }', '{ name: nginx, port: 8000 }', /Service "nginx" has no "8000"/],
    [gatewayApi, 'sectionName: http', 'sectionName: https', /Gateway "shop" has no "https"/],
    [gatewayApi, 'gateway-name: shop', 'gateway-name: store', /there is no Gateway "store"/],
    ['k8s/hpa.yaml', 'Deployment, name: file', 'Deployment, name: files', /there is no Deployment "files"/],
    ['k8s/hpa.yaml', 'Deployment, name: file', 'Deployment, name: store', /file: scales store/],
    [
      'k8s/pdb.yaml',
      'matchLabels: { app.kubernetes.io/name: store',
      'matchLabels: { app.kubernetes.io/name: x',
      /nothing/,
    ],
    [
      policies,
      'matchLabels: { app.kubernetes.io/name: redis',
      'matchLabels: { app.kubernetes.io/name: x',
      /no pod matches/,
    ],
  ],
  'compose-references': [
    [compose, 'depends_on: [db, redis]', 'depends_on: [mysql]', /auth: depends on "mysql", which does not exist/],
    [compose, 'networks: [back]', 'networks: [rear]', /db: "rear" is not declared under networks/],
    [compose, 'source: db-data', 'source: data', /db: "data" is not declared under volumes/],
    [compose, '{ source: nginx-main', '{ source: nginx', /configs\.nginx-main: no service uses it/],
    [compose, './nginx/limits.sh', './nginx/limit.sh', /configs\.nginx-limits: there is no file nginx\/limit\.sh/],
    [swarm, './sql/schema.sql', './sql/tables.sql', /swarm\.yml: configs\.schema: there is no file/],
    ['docker-compose.tls.yml', 'tls_certificate, tls_key]', 'tls_certificate]', /secrets\.tls_key: no service uses it/],
    [swarm, 'name: shop_no_secret', 'name: shop_none', /secrets\.no_secret: no service uses it/],
    [compose, 'secrets: [alert_webhook_url,', 'secrets: [webhook_url,', /"webhook_url" is not declared under secrets/],
    [swarm, '  redis-exporter:', '  redis_exporter:', /services\.redis_exporter: has no image/],
    [compose, 'DB_HOST: db', 'DB_HOST: mysql', /auth: uses mysql:3306, but there is no service "mysql"/],
    [compose, 'REDIS_PORT: "6379"', 'REDIS_PORT: "6380"', /uses redis:6380, but redis does not listen on that port/],
    [compose, 'AUTH_UPSTREAM: auth:8080', 'AUTH_UPSTREAM: auth:8081', /nginx: uses auth:8081, but/],
    [compose, 'mysqld.address=db:3306', 'mysqld.address=mysql:3306', /mysqld-exporter: uses mysql:3306/],
    [compose, 'networks: [back, monitoring]', 'networks: [monitoring]', /uses db:3306, but shares no network with it/],
    [compose, '127.0.0.1:9121/health', '127.0.0.1:9112/health', /redis-exporter: uses redis-exporter:9112/],
    [compose, ' listen 8084;', '', /nginx: publishes port 8084, but does not listen on it/],
    ['docker-compose.dev.yml', 'SMTP_PORT: "1025"', 'SMTP_PORT: "1052"', /mailpit:1052/],
    [prometheus, 'alertmanager:9093', 'alertmanager:9094', /prometheus: uses alertmanager:9094/],
    [prometheus, 'names: [store]', 'names: [stores]', /prometheus: uses stores:8084, but there is no service/],
    [datasource, 'url: http://prometheus:9090', 'url: http://prometheus:9091', /grafana: uses prometheus:9091/],
  ],
  storage: [
    [
      'k8s/mysql.yaml',
      'mountPath: /var/lib/mysql ',
      'mountPath: /var/lib/mysq ',
      /db-data is not mounted at \/var\/lib\/mysql/,
    ],
    ['k8s/mysql.yaml', 'claimName: db-data', 'claimName: redis-data', /db-data is not mounted/],
    ['k8s/mysql.yaml', 'persistentVolumeClaim: { claimName: db-data }', 'emptyDir: {}', /db-data is not mounted/],
    ['k8s/redis.yaml', 'mountPath: /data', 'mountPath: /dat', /redis-data is not mounted at \/data/],
    ['k8s/file.yaml', 'mountPath: /data/uploads', 'mountPath: /data/upload', /Deployment file: uploads is not mounted/],
    ['k8s/store.yaml', 'claimName: uploads', 'claimName: redis-data', /Deployment store: uploads is not mounted/],
    [
      'k8s/configmap.yaml',
      'UPLOAD_PATH: /data/uploads',
      'UPLOAD_PATH: /data/files',
      /uploads is not mounted at \/data\/files/,
    ],
    ['k8s/file.yaml', / +fsGroup: 1000\n/, '', /Deployment file: fsGroup must be 1000/],
    [compose, 'UPLOAD_PATH: /data/uploads', 'UPLOAD_PATH: /data/files', /services\.file: uploads is not mounted/],
    [compose, 'target: /var/lib/mysql ', 'target: /var/lib/mysq ', /services\.db: db-data is not mounted/],
  ],
  hardening: [
    ['k8s/redis.yaml', 'runAsUser: 999', 'runAsUser: 0', /StatefulSet redis: runAsUser must not be root/],
    ['k8s/mysql.yaml', 'runAsNonRoot: true', 'runAsNonRoot: false', /runAsNonRoot must be true/],
    [
      'k8s/mysql.yaml',
      'readOnlyRootFilesystem: true',
      'readOnlyRootFilesystem: false',
      /readOnlyRootFilesystem must be/,
    ],
    ['k8s/store.yaml', 'drop: [ALL]', 'drop: [NET_RAW]', /Deployment store: capabilities must drop ALL/],
    ['k8s/store.yaml', 'enableServiceLinks: false', 'enableServiceLinks: true', /enableServiceLinks must be false/],
    ['k8s/store.yaml', /limits: .*/, 'limits: { cpu: "1" }', /limits\.memory is missing/],
    ['k8s/redis.yaml', 'startupProbe:', 'livenessProbe:', /startupProbe is missing/],
    ['k8s/store.yaml', 'path: /ready', 'path: /redy', /readinessProbe must use \/ready/],
    ['k8s/store.yaml', /(livenessProbe:\s+httpGet: \{ path: )\/health/, '$1/ready', /livenessProbe must use \/health/],
    [compose, 'user: "999:999"', 'user: "0:0"', /services\.db: user must not be root/],
    [compose, 'read_only: true', 'read_only: false', /services\.auth: read_only must be true/],
    [compose, 'max-size: 10m, ', '', /services\.auth: logging\.options must have max-size/],
    ['docker-compose.dev.yml', 'limits: { cpus: "0.5", memory: 128M }', 'limits: {}', /mailpit: deploy.* is missing/],
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
    [
      policies,
      'name: migrate, app.kubernetes.io/part-of: shop }\n  policyTypes',
      'name: migration, app.kubernetes.io/part-of: shop }\n  policyTypes',
      /migrate to db:3306: must be allowed/,
    ],
    [policies, / +- \{ protocol: UDP, port: 53 \}\n/, '', /auth to another namespace:53: must be allowed/],
    [
      'k8s/backup.yaml',
      /( {10}labels: \{ app.kubernetes.io\/name: )backup/,
      '$1copy',
      /backup to db:3306: must be allow/,
    ],
    [policies, 'port: 587', 'port: 578', /auth to anybody:587: must be allowed/],
    [
      policies,
      'values: [auth, product, store, file]',
      'values: [auth, product, store]',
      /file to anybody:443: must be allowed/,
    ],
    [
      policies,
      'values: [auth, product, store, file]',
      'values: [auth, product, store, file, address]',
      /address .*must be denied/,
    ],
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
    ['k8s/mysql.yaml', 'key: DB_ROOT_PASS ', 'key: DB_PASS ', /MYSQL_ROOT_PASSWORD: comes from key DB_PASS/],
    [swarm, '[db_pass, db_root_pass]', '[db_pass]', /db DB_ROOT_PASS_FILE: .* not have the secret db_root_pass/],
    [swarm, '- auth_db_pass', '- db_pass', /auth DB_PASS_FILE: .* not have the secret auth_db_pass/],
    [swarm, 'secrets/store_db_pass', 'secrets/db_pass', /store DB_PASS_FILE: is secret db_pass, not STORE_DB_PASS/],
    [
      compose,
      'DB_PASS: ${STORE_DB_PASS',
      'DB_PASS: ${DB_PASS',
      /store DB_PASS: comes from DB_PASS, not from STORE_DB_PASS/,
    ],
    [
      'k8s/store.yaml',
      'key: STORE_DB_USER',
      'key: DB_USER',
      /store.* env DB_USER: comes from key DB_USER, not STORE_DB_USER/,
    ],
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
    [
      compose,
      '      DB_USER: ${ADDRESS_DB_USER',
      '      S3_SECRET_ACCESS_KEY: x\n      DB_USER: ${ADDRESS_DB_USER',
      /address.*: S3_SECRET_ACCESS_KEY is set but not read/,
    ],
    ['k8s/configmap.yaml', 'CORS_ORIGINS: ""', '', /Deployment auth: CORS_ORIGINS is read but not set/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: many', /does not start: DB_POOL_SIZE/],
    ['k8s/file.yaml', 'name: S3_ACCESS_KEY_ID', 'name: SMTP_PASS', /SMTP_PASS is set but not read/],
    ['k8s/migrate.yaml', / +- name: STORE_DB_PASS\n.*\n/, '', /migrate\.yaml: STORE_DB_PASS is read but not set/],
    [compose, / +STORE_DB_USER: .*\n/, '', /services\.migrate\.environment: STORE_DB_USER is read but not set/],
  ],
  connections: [
    ['k8s/hpa.yaml', 'maxReplicas: 10', 'maxReplicas: 20', /FLEET_PROCESSES: is 72, there can be 82/],
    ['k8s/auth.yaml', 'minReadySeconds: 30', 'minReadySeconds: 10', /FLEET_PROCESSES: is 72, there can be 74/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: "10"', /is 600, and 72 processes may open 10/],
    [compose, 'replicas: 2', 'replicas: 3', /FLEET_PROCESSES: is 12, there can be 18/],
    [compose, '- --max-connections=400', '- --max-connections=100', /is 100, and 12 processes may open/],
    [swarm, 'replicas: 3', 'replicas: 4', /swarm.yml: FLEET_PROCESSES: is 24, there can be 30/],
  ],
  'binary-log': [
    [
      'k8s/mysql.yaml',
      '- --server-id=1',
      '- --server-id=1\n            - --skip-log-bin',
      /mysql\.yaml: --log-bin: is not set/,
    ],
    [compose, '- --log-bin=binlog', '- --disable-log-bin', /compose\.yml: --log-bin: is not set/],
    [compose, 'seconds=604800', 'seconds=86400', /mysql\.yaml: --binlog-expire-logs-seconds: is 604800, but 86400 in/],
    ['k8s/mysql.yaml', '--binlog-format=ROW', '--binlog-format=MIXED', /--binlog-format: is MIXED/],
    ['k8s/mysql.yaml', / +- --sync-binlog=1\n/, '', /--sync-binlog: is not set/],
  ],
  nginx: [
    [gateway, 'server_tokens off;', 'server_tokens off', /docker-compose\.yml: [\s\S]*server_tokens/],
    ['k8s/nginx.yaml', 'from 10.0.0.0/8', 'from 10.0.0.0/80', /k8s\/nginx\.yaml: .*host not found/],
    ['k8s/nginx.yaml', 'name: NGINX_PROXY_BIND', 'name: PROXY_BIND', /nginx\.yaml: nginx needs \$\{NGINX_PROXY_BIND/],
    ['.env.local', 'CORS_ORIGINS=', 'CORS_LIST=', /compose\.yml: nginx needs \$\{CORS_ORIGINS/],
  ],
  shell: [
    ['run-services.sh', 'set -euo pipefail', 'set -euo pipefail\n[ $1 = x ]', /run-services\.sh: line \d+: .*SC2086/],
    ['.githooks/pre-commit', 'set -euo pipefail', 'set -euo pipefail\n[ $1 = x ]', /pre-commit: line \d+: .*SC2086/],
    ['k8s/redis.yaml', '"$REDIS_PASSWORD"', '$REDIS_PASSWORD', /redis\.yaml: \.spec\..*: line \d+: .*SC2086/],
    [
      compose,
      '--mysqld.username="$$EXPORTER_DB_USER"',
      '--mysqld.username=$$EXPORTER_DB_USER',
      /services\.mysqld-exporter.*SC2086/,
    ],
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
  const review = { ...services.store, port: 8086, portVariable: 'REVIEW_PORT', paths: ['/api/v1/reviews'], tables: {} };

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
