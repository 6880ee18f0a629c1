import path from 'node:path';
import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import { runJourney } from '@shop/journey';
import {
  createMonitoring,
  freePort,
  type Monitoring,
  type MonitorName,
  monitorNames,
  repoRoot,
  serviceNames,
} from '@shop/test-servers';
import { eventually } from './support/eventually';
import { dashboard, prometheusAt, rulesIn, selectorsIn, withoutVariables } from './support/prometheus';
import { JWT_SECRET } from './support/test-app';
import { call, startTestFleet, type TestFleet } from './support/test-fleet';

const admin = accessTokenIssuer(secretKey(JWT_SECRET)).issue({ id: 1, role: 'admin' }).token;
const alerts = rulesIn('alerting_rules.yml');
const records = rulesIn('recording_rules.yml');
const board = dashboard();

let shop: TestFleet;
let monitoring: Monitoring;
let prometheus: ReturnType<typeof prometheusAt>;

beforeAll(async () => {
  const statusPort = await freePort();
  shop = await startTestFleet({ statusPort, replicas: { store: 2 } });
  const dir = path.join(process.env.SHOP_TEST_DIR ?? '/tmp', `monitoring-${statusPort}`);
  const ports = {} as Record<MonitorName, number>;
  for (const name of monitorNames) ports[name] = await freePort();
  monitoring = await createMonitoring({
    fleet: shop.fleet,
    statusPort,
    database: shop.mysql.settings,
    redis: shop.redis.settings,
    dir,
    logDir: path.join(dir, 'logs'),
    ports,
    environment: 'local',
    interval: '1s',
    // `for: 1m` is three seconds here.
    editRules: (text) => text.replaceAll(/\bfor: (\d+)m$/gm, (_, minutes) => `for: ${3 * Number(minutes)}s`),
    dieWithParent: true,
  });
  await monitoring.start();
  prometheus = prometheusAt(`http://127.0.0.1:${monitoring.prometheus.port}`);
  await sendTraffic();
});
afterAll(async () => {
  await monitoring?.stop();
  await shop?.stop();
});

/** Sends requests that produce every kind of metric. */
async function sendTraffic(): Promise<void> {
  const { url } = shop.fleet;
  const post = (where: string, json: object, token?: string) => call('POST', `${url}/api/v1${where}`, { token, json });
  const imagePath = path.join(repoRoot, 'docs/mug.png');
  await eventually('a scrape', async () => (await prometheus.query('up == 1')).length === 13);
  for (let round = 0; round < 2; round += 1) {
    await runJourney({ baseUrl: url, imagePath, print: () => undefined });
    await post('/auth/login', { email: 'admin@example.com', password: 'wrong' });
    await post('/transactions', { address_id: 1, items: [{ product_id: 2 ** 31, quantity: 1 }] }, admin);
    for (let i = 0; i < 5; i += 1) await call('GET', `${url}/api/v1/products`, { token: admin });
    await call('GET', `${url}/nothing`);
    const form = new FormData();
    form.set('file', new Blob(['A file']), 'a.txt');
    await call('POST', `${url}/api/v1/files/upload`, { token: admin, form });
    await scrapes(2);
  }
  await shop.mysql.kill();
  await call('GET', `${url}/api/v1/stores`, { token: admin });
  await shop.mysql.start();
  await eventually(
    'the stores',
    async () => (await call('GET', `${url}/api/v1/stores`, { token: admin })).status === 200,
  );
  await scrapes(3);
}

/** Resolves when every target has been scraped `count` more times. */
async function scrapes(count: number): Promise<void> {
  const fewest = async () => Number((await prometheus.query('min(count_over_time(up[1h]))'))[0]?.value[1]);
  const start = await fewest();
  await eventually('some scrapes', async () => (await fewest()) >= start + count);
}

/** One always fires, and the disk is this machine's. */
const notTheFleets = ['Watchdog', 'DiskAlmostFull'];
const otherAlerts = async () =>
  (await prometheus.alerts()).filter(({ labels }) => !notTheFleets.includes(labels.alertname ?? ''));

/** Series that a healthy fleet may lack. Every other series in an expression must exist, with its labels. */
const absentWhenHealthy: Record<string, string> = {
  'rate_limit_decisions_total{decision="refused"}': 'the rate limit of this fleet is practically unlimited',
  'ALERTS{alertstate="firing", severity!="none"}': 'no alert fires; see "live fire" below',
  'kubelet_volume_stats_available_bytes{namespace="shop"}': 'there is no Kubernetes here',
  'kubelet_volume_stats_capacity_bytes{namespace="shop"}': 'there is no Kubernetes here',
  probe_ssl_earliest_cert_expiry: 'this gateway has no TLS; see nginx-tls.test.ts',
};

/** Selectors that Prometheus does not know: a metric or a label value that nothing exports. */
async function unknown(expressions: string[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const text of new Set(expressions.flatMap(selectorsIn).map((one) => one.text))) {
    if (text in absentWhenHealthy) continue;
    if ((await prometheus.query(`last_over_time(${text}[1h])`)).length === 0) wrong.push(text);
  }
  return wrong;
}

async function withoutData(expressions: string[]): Promise<string[]> {
  const empty: string[] = [];
  for (const expr of expressions) {
    const result = await prometheus.query(expr);
    if (!result.some(({ value: [, value] }) => value !== 'NaN')) empty.push(expr);
  }
  return empty;
}

test('every target is up: each replica of each service, Nginx, database and Redis, Prometheus and Alertmanager', async () => {
  const targets = await prometheus.targets();
  expect(targets.filter(({ health }) => health !== 'up')).toEqual([]);
  const names = targets.map(({ labels }) => (labels.job === 'shop' ? labels.service : labels.job)).sort();
  const others = ['alertmanager', 'mysql', 'nginx', 'node', 'prometheus', 'redis'];
  expect(names).toEqual([...serviceNames, 'store', ...others].sort());
  for (const exporter of ['nginx_up', 'mysql_up', 'redis_up{job="redis"}']) {
    expect([exporter, (await prometheus.query(exporter))[0]?.value[1]]).toEqual([exporter, '1']);
  }
});

test('the label service is the name of the service, and instance distinguishes replicas', async () => {
  const stores = await prometheus.query('shop_build_info{service="store"}');
  expect(stores).toHaveLength(2);
  expect(await prometheus.query('{exported_service!=""}')).toEqual([]);
});

test('every rule can be evaluated', async () => {
  await eventually('the first evaluation', async () =>
    (await prometheus.ruleHealth()).every(({ health }) => health !== 'unknown'),
  );
  const rules = await prometheus.ruleHealth();
  expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  expect(rules).toHaveLength(alerts.length + records.length);
});

test('every recording rule returns data', async () => {
  expect(await withoutData(records.map(({ record }) => record ?? ''))).toEqual([]);
});

test('every alert and recording rule uses metrics and labels that exist', async () => {
  expect(await unknown([...alerts, ...records].map(({ expr }) => expr))).toEqual([]);
});

test('no alert fires on a healthy fleet: their expressions are empty', async () => {
  await eventually('all alerts to be resolved', async () => (await otherAlerts()).length === 0);
  const firing: string[] = [];
  const others = alerts.filter(({ alert = '' }) => !notTheFleets.includes(alert));
  for (const { alert, expr } of others) if ((await prometheus.query(expr)).length > 0) firing.push(alert ?? '');
  expect(firing).toEqual([]);
});

describe('the dashboard', () => {
  const queries = board.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const));

  test.each(queries)('%s has data: %s', async (_, expr) => {
    expect(await withoutData([withoutVariables(expr)])).toEqual([]);
    expect(await unknown([withoutVariables(expr)])).toEqual([]);
  });

  test('the variables find services and instances; the restart annotations can be evaluated', async () => {
    for (const { query } of board.templating.list) {
      const [, selector = '', label = ''] = /^label_values\((.*), (\w+)\)$/.exec(query.query) ?? [];
      const series = await prometheus.query(withoutVariables(selector));
      const values = new Set(series.map(({ metric }) => metric[label]));
      expect(values.size).toBe(label === 'service' ? 6 : 7);
    }
    const marks = board.annotations.list.map(({ expr }) => expr).filter((expr) => expr !== undefined);
    expect(await unknown(marks.map(withoutVariables))).toEqual([]);
  });
});

test('statements are named: only probes and similar ones have no name', async () => {
  const named = await prometheus.query('count by (service) (db_query_duration_seconds_count{query!="other"} > 0)');
  expect(named.map(({ metric }) => metric.service).sort()).toEqual([...serviceNames].sort());
  const share =
    'sum(db_query_duration_seconds_count{query="other"}) by (service) / sum(db_query_duration_seconds_count) by (service)';
  expect((await prometheus.query(`${share} == 1`)).map(({ metric }) => metric.service)).toEqual([]);
});

describe('live fire', () => {
  const stateOf = async (alertname: string, service: string) =>
    (await prometheus.alerts()).find(({ labels }) => labels.alertname === alertname && labels.service === service)
      ?.state;
  const alertsSent = async (alertname: string) => {
    const response = await fetch(`http://127.0.0.1:${monitoring.alertmanager.port}/api/v2/alerts`);
    const all = (await response.json()) as { labels: Record<string, string>; receivers: { name: string }[] }[];
    return all.filter(({ labels }) => labels.alertname === alertname);
  };

  test('a killed service raises ServiceDown: pending, firing, sent to the Alertmanager, resolved when it is back', async () => {
    const address = shop.fleet.instance('address');
    process.kill(address.pid ?? 0, 'SIGKILL');
    const seen: string[] = [];
    await eventually('ServiceDown to fire', async () => {
      const state = await stateOf('ServiceDown', 'address');
      if (state && seen.at(-1) !== state) seen.push(state);
      return state === 'firing';
    });
    expect(seen).toEqual(['pending', 'firing']);
    await eventually('ServiceDown at the Alertmanager', async () => (await alertsSent('ServiceDown')).length > 0);
    expect(await alertsSent('ServiceDown')).toEqual([
      expect.objectContaining({
        labels: expect.objectContaining({ service: 'address', severity: 'critical', environment: 'local' }),
        annotations: expect.objectContaining({
          summary: 'address is down',
          runbook_url: expect.stringMatching(/^\/.*\/docs\/runbooks\/ServiceDown\.md$/),
        }),
        receivers: [{ name: 'local' }],
      }),
    ]);
    expect((await otherAlerts()).map(({ labels }) => labels.alertname)).toEqual(['ServiceDown']);
    expect((await prometheus.query('count(ALERTS{alertstate="firing", severity!="none"})'))[0]?.value[1]).toBe('1');

    await address.start();
    await eventually('no active alert', async () => (await otherAlerts()).length === 0);
    await eventually('ServiceDown to be resolved', async () => (await alertsSent('ServiceDown')).length === 0);
  });

  test('Nginx, database and Redis each have an alert that reaches the Alertmanager', async () => {
    const names = ['DatabaseDown', 'GatewayDown', 'RedisDown'];
    await Promise.all([shop.mysql.kill(), shop.redis.kill(), shop.fleet.gateway.kill()]);
    for (const name of names) {
      await eventually(`${name} at the Alertmanager`, async () => (await alertsSent(name)).length > 0);
    }
    await Promise.all([shop.mysql.start(), shop.redis.start()]);
    await shop.fleet.gateway.start();
    for (const name of names) {
      await eventually(`${name} to be resolved`, async () => (await alertsSent(name)).length === 0);
    }
  });
});
