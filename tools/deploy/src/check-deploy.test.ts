import { repoRoot } from '@shop/test-servers';
import { filesBelow, withChanges } from './files';
import { checkDeploy, checkNames, checks } from './index';
import { shownProblem } from './problem';

const files = filesBelow(repoRoot);

test('nothing is wrong with what this repository deploys', async () => {
  expect((await checkDeploy(files)).map(shownProblem)).toEqual([]);
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
    ['docker-compose.yml', 'depends_on: [db, redis]', 'depends_on: [db, cache]', /"cache", which does not exist/],
    ['docker-compose.yml', './sql/schema.sql', './sql/tables.sql', /there is no sql\/tables\.sql/],
    ['docker-compose.yml', /.*source: alerting-rules, target.*\n/, '', /configs\.alerting-rules: no service uses it/],
    ['docker-compose.tls.yml', 'tls_certificate, tls_key]', 'tls_certificate]', /secrets\.tls_key: no service uses it/],
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
    ['k8s/pdb.yaml', '  namespace: shop\n', '', /has no namespace/],
    ['k8s/hpa.yaml', '  name: product\n', '  name: auth\n', /HorizontalPodAutoscaler auth: is defined twice/],
    ['k8s/auth.yaml', 'app.kubernetes.io/name: auth\n', 'app.kubernetes.io/name: a\n', /own pods/],
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
    ['k8s/alternatives/gateway-api.yaml', 'gateway-name: shop', 'gateway-name: store', /there is no Gateway "store"/],
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
    ['k8s/store.yaml', 'memory: 128Mi', 'memory: 1280Mi', /memory: requests 1280Mi of at most 384Mi/],
    ['k8s/store.yaml', 'cpu: 100m', 'cpu: "100"', /cpu: requests 100 of at most 1/],
    ['k8s/store.yaml', 'memory: 128Mi', 'memory: 128MB', /memory: requests 128MB/],
    ['k8s/store.yaml', /(livenessProbe:\s+httpGet: \{ path: )\/health/, '$1/ready', /livenessProbe: must use \/health/],
    ['k8s/store.yaml', 'path: /ready', 'path: /readyz', /readinessProbe: must use \/ready/],
    ['k8s/hpa.yaml', 'minReplicas: 2', 'minReplicas: 12', /minReplicas is over maxReplicas/],
  ],
  shutdown: [
    ['k8s/store.yaml', 'terminationGracePeriodSeconds: 30', 'terminationGracePeriodSeconds: 20', /must be over 20/],
    ['k8s/nginx.yaml', 'terminationGracePeriodSeconds: 60', 'terminationGracePeriodSeconds: 45', /must be over 45/],
    ['k8s/store.yaml', / +preStop:\n.*\n/, '            postStart: {}\n', /Deployment store preStop: must sleep/],
    ['docker-compose.yml', 'stop_grace_period: 15s', 'stop_grace_period: 10s', /auth.*: must be over 10s/],
    [
      'nginx/containers/nginx.conf.template',
      'shutdown_timeout 35s',
      'shutdown_timeout 40s',
      /nginx.*: must be over 40s/,
    ],
  ],
  policies: [
    [
      'k8s/networkpolicy.yaml',
      /(Prometheus: pods[\s\S]*?) +- \{ protocol: TCP, port: 8084 \}\n/,
      '$1',
      /nginx to store:8084: must be allowed/,
    ],
    ['k8s/networkpolicy.yaml', / +- \{ protocol: TCP, port: 8084 \}\n/, '', /nginx to store:8084: must be allowed/],
    ['k8s/networkpolicy.yaml', 'port: 3306', 'port: 3307', /auth to db:3306: must be allowed/],
    [
      'k8s/networkpolicy.yaml',
      / +- to:\n.*\n.*name: redis, .*\n.*\n.*port: 6379 \}\n/,
      '',
      /auth to redis:6379: must be allowed/,
    ],
    ['k8s/networkpolicy.yaml', / +- \{ protocol: UDP, port: 53 \}\n/, '', /auth to DNS \(UDP\): must be allowed/],
    ['k8s/networkpolicy.yaml', 'port: 587', 'port: 578', /auth to anybody:587: must be allowed/],
    ['k8s/networkpolicy.yaml', 'values: [product, store, file]', 'values: [product, store]', /file to anybody:443/],
    ['k8s/networkpolicy.yaml', /name: default-deny[\s\S]*?---[\s\S]*?---/, '---', /db to anybody:443: must be denied/],
    [
      'k8s/networkpolicy.yaml',
      /(spec:\n {2}podSelector:\n.*name: db,.*\n.*\n {2}ingress:\n) {4}- from:\n.*\n.*\n {6}ports/,
      '$1    - ports',
      /anybody to db:3306: must be denied/,
    ],
  ],
  names: [
    [
      'k8s/hpa.yaml',
      'Deployment, name: file',
      'Deployment, name: store',
      /Autoscaler file .*: is store, elsewhere file/,
    ],
    [
      'k8s/pdb.yaml',
      'matchLabels: { app.kubernetes.io/name: store',
      'matchLabels: { app.kubernetes.io/name: file',
      /PodDisruptionBudget store .*: is file, elsewhere store/,
    ],
    [
      'k8s/store.yaml',
      'selector: { app.kubernetes.io/name: store',
      'selector: { app.kubernetes.io/name: file',
      /Service store .*: is file, elsewhere store/,
    ],
    ['Dockerfile', 'services/store/package.json', 'services/stores/package.json', /COPY services\/store: is missing/],
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
    ['monitoring/prometheus.yml', 'port: 8084', 'port: 8048', /store: is not scraped on port 8084/],
    ['k8s/hpa.yaml', /---[\s\S]*?name: store[\s\S]*?---/, '---', /hpa\.yaml: \w+: is missing/],
  ],
  ports: [
    ['docker-compose.yml', '- 8083:8083', '- 8083:8038', /nginx: publishes port 8038, on which it does not listen/],
    ['docker-compose.yml', '- 8083:8083', '- 8038:8083', /nginx: publishes port 8083 as 8038/],
    ['docker-compose.yml', '      - 8083:8083\n', '', /nginx: does not publish port 8083/],
    ['docker-compose.yml', 'GATEWAY_PORT:-80}:80', 'GATEWAY_PORT:-80}:81', /nginx: publishes port 81/],
    ['docker-compose.yml', 'DB_PORT:-3307}:3306', 'DB_PORT:-3307}:3307', /db: publishes port 3307/],
    ['docker-compose.yml', ' listen 8084;', '', /nginx: publishes port 8084/],
    ['docker-compose.yml', '8090/stub_status"]', '8091/stub_status"]', /127\.0\.0\.1:8091: nginx does not listen/],
    ['docker-compose.yml', 'http://nginx:8090', 'http://nginx:8091', /nginx:8091: nginx does not listen/],
    ['docker-compose.yml', 'DB_HOST: db', 'DB_HOST: mysql', /auth: calls mysql:3306: Compose has no such service/],
    ['docker-compose.yml', 'REDIS_PORT: "6379"', 'REDIS_PORT: "6380"', /calls redis:6380: redis does not listen/],
    ['docker-compose.yml', 'networks: [back, monitoring]', 'networks: [monitoring]', /db:3306: they share no network/],
    ['docker-compose.tls.yml', '443:443', '443:444', /nginx: publishes port 444/],
    ['docker-compose.dev.yml', 'SMTP_PORT: "1025"', 'SMTP_PORT: "1052"', /mailpit:1052: mailpit does not listen/],
    ['docker-compose.swarm.yml', 'target: 3306, published', 'target: 3307, published', /db: publishes port 3307/],
    ['monitoring/prometheus.yml', 'names: [store]', 'names: [shop-store]', /shop-store:8084: Compose has no such/],
    [
      'monitoring/prometheus.yml',
      'redis-exporter:9121',
      'redis-exporter:9112',
      /redis-exporter:9112: redis-exporter does/,
    ],
    ['monitoring/prometheus.yml', 'port: 9093', 'port: 9039', /alertmanager:9039: alertmanager does not listen/],
    [
      'monitoring/grafana/provisioning/datasources/prometheus-datasource.yml',
      'url: http://prometheus:9090',
      'url: http://prometheus:9000',
      /grafana: calls prometheus:9000/,
    ],
    ['k8s/nginx.yaml', 'listen 8000;', 'listen 8001;', /Deployment nginx: nginx does not listen on port 8000/],
    ['k8s/mysql.yaml', 'containerPort: 3306', 'containerPort: 3307', /db does not listen on port 3307/],
    ['k8s/configmap.yaml', 'DB_HOST: db', 'DB_HOST: mysql', /there is no Service "mysql" with port 3306/],
    ['k8s/configmap.yaml', 'REDIS_PORT: "6379"', 'REDIS_PORT: "6380"', /there is no Service "redis" with port 6380/],
  ],
  network: [
    [
      'docker-compose.yml',
      'TRUST_PROXY: 172.28',
      'TRUST_PROXY: 172.18',
      /nginx connects from front: 172\.28\.0\.0\/16/,
    ],
    ['docker-compose.yml', 'networks: [front]\n    read', 'networks: [front, back]\n    read', /front and back/],
    ['docker-compose.yml', 'networks: [front]\n    read', 'networks: [back]\n    read', /nginx connects from back/],
    ['docker-compose.yml', 'networks: [front, back, monitoring]', 'networks: [back]', /shares no network with nginx/],
    ['docker-compose.yml', 'env_file: .env', 'env_file: env', /auth\.env_file: must be/],
    ['docker-compose.swarm.yml', / +ipam:.*\n/, '', /swarm\.yml: .*nginx connects from front: undefined/],
  ],
  storage: [
    ['docker-compose.yml', 'target: /data/uploads', 'target: /data/upload', /file.*: uploads is not mounted at/],
    ['docker-compose.yml', 'file:\n    <<: *service-with-uploads', 'file:\n    <<: *service', /file.*: uploads is not/],
    [
      'docker-compose.yml',
      'UPLOAD_PATH: /data/uploads',
      'UPLOAD_PATH: /data/upload',
      /not mounted at \/data\/upload \[/,
    ],
    ['docker-compose.yml', 'target: /var/lib/mysql', 'target: /var/lib/mysqld', /db-data is not mounted at/],
    ['k8s/file.yaml', 'mountPath: /data/uploads', 'mountPath: /data/upload', /uploads is not mounted at/],
    ['k8s/store.yaml', / +volumeMounts:[\s\S]*/, '', /Deployment store .*: uploads is not mounted/],
    ['k8s/file.yaml', / +fsGroup: 1000\n/, '', /Deployment file fsGroup: must be 1000/],
    ['k8s/mysql.yaml', 'mountPath: /var/lib/mysql ', 'mountPath: /var/lib/mysqld ', /db-data is not mounted at/],
    ['k8s/mysql.yaml', 'claimName: db-data', 'claimName: redis-data', /db-data is not mounted at/],
    ['k8s/redis.yaml', 'mountPath: /data', 'mountPath: /dat', /redis-data is not mounted at \/data/],
    ['k8s/mysql.yaml', / +- \{ key: schema\.sql.*\n/, '', /schema\.sql is not at \/docker-entrypoint-initdb\.d/],
    ['k8s/mysql.yaml', 'mountPath: /sql', 'mountPath: /seed', /seed\.sql is not at \/sql/],
    ['k8s/nginx.yaml', 'path: conf.d/default', 'path: default', /not at \/etc\/nginx\/templates\/conf\.d/],
  ],
  credentials: [
    ['k8s/mysql.yaml', 'key: DB_PASS ', 'key: REDIS_PASSWORD ', /MYSQL_PASSWORD: comes from key REDIS_PASSWORD/],
    ['k8s/redis.yaml', 'key: REDIS_PASSWORD', 'key: DB_PASS', /REDIS_PASSWORD: comes from key DB_PASS/],
    ['k8s/store.yaml', 'key: JWT_SECRET', 'key: DB_PASS', /JWT_SECRET: comes from key DB_PASS/],
    ['docker-compose.yml', 'MYSQL_PASSWORD: ${DB_PASS', 'MYSQL_PASSWORD: ${DB_PASSWORD', /comes from DB_PASSWORD/],
    ['docker-compose.yml', /MYSQL_USER: .*/, 'MYSQL_USER: shop', /comes from nowhere, not from \$\{DB_USER/],
    ['docker-compose.yml', '${JWT_SECRET:-', '${JWT_SECRETS:-', /JWT_SECRET: comes from JWT_SECRETS/],
    ['docker-compose.yml', 'DB_NAME:-ecommerce', 'DB_NAME:-shop', /DB_NAME: has the defaults "shop" and "ecommerce"/],
    [
      'docker-compose.swarm.yml',
      '[db_pass, jwt_secret',
      '[jwt_secret',
      /auth DB_PASS_FILE: .* not have the secret db_pass/,
    ],
    ['docker-compose.swarm.yml', 'secrets/jwt_secret', 'secrets/jwtsecret', /not have the secret jwtsecret/],
    ['docker-compose.swarm.yml', 'secrets/jwt_secret', 'secrets/db_pass', /is secret db_pass, not JWT_SECRET/],
    [
      'docker-compose.swarm.yml',
      /mysqld-exporter:\n {4}environment:\n.*\n.*\n/,
      'mysqld-exporter:\n',
      /mysqld-exporter .*: DB_PASS is a secret in other services/,
    ],
  ],
  environment: [
    ['.env.testnet', /^DB_POOL_SIZE=.*$/m, '', /DB_POOL_SIZE is read but not set/],
    ['.env.testnet', 'DB_POOL_SIZE', 'DB_POOLSIZE', /DB_POOLSIZE is set but not read/],
    ['docker-compose.yml', 'TRUST_PROXY:', 'TRUSTED_PROXY:', /TRUSTED_PROXY is set but not read/],
    ['k8s/configmap.yaml', 'CORS_ORIGINS: ""', '', /Deployment auth: CORS_ORIGINS is read but not set/],
    ['k8s/configmap.yaml', 'LOG_LEVEL: info', 'LOG_LEVELS: info', /LOG_LEVELS is set but not read/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: many', /does not start: DB_POOL_SIZE/],
    ['k8s/file.yaml', /.*name: S3_ACCESS_KEY_ID,.*\n/, '', /S3_ACCESS_KEY_ID is read but not set/],
    [
      'k8s/store.yaml',
      /(- \{ name: )JWT_SECRET(.*\n)/,
      '$1JWT_SECRET$2            $1SMTP_PASS$2',
      /SMTP_PASS is set but not read/,
    ],
  ],
  connections: [
    ['k8s/hpa.yaml', 'maxReplicas: 10', 'maxReplicas: 20', /FLEET_PROCESSES: is 72, there can be 82/],
    ['k8s/auth.yaml', 'minReadySeconds: 30', 'minReadySeconds: 10', /FLEET_PROCESSES: is 72, there can be 74/],
    ['k8s/configmap.yaml', 'DB_POOL_SIZE: "8"', 'DB_POOL_SIZE: "10"', /is 600, and 72 processes may open 10/],
    ['docker-compose.yml', 'replicas: 2', 'replicas: 3', /FLEET_PROCESSES: is 12, there can be 18/],
    ['docker-compose.yml', '- --max-connections=400', '- --max-connections=100', /is 100, and 12 processes may open/],
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
    ['.env.local', 'CORS_ORIGINS=', 'CORS_LIST=', /needs CORS_ORIGINS, which is not set/],
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
