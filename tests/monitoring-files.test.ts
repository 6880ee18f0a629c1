import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import {
  renderAlertmanagerConfig,
  renderPrometheusConfig,
  repoRoot,
  requireProgram,
  serviceNames,
} from '@shop/test-servers';
import { parse, parseAllDocuments, stringify } from 'yaml';
import {
  dashboard,
  monitoringDir,
  type Panel,
  rulesIn,
  ruleTestFiles,
  ruleTests,
  selectorsIn,
} from './support/prometheus';

const run = promisify(execFile);
const alerts = rulesIn('alerting_rules.yml');

const runbooks = path.join(repoRoot, 'docs/runbooks');
const compose: { services: object } = parse(readFileSync(path.join(repoRoot, 'docker-compose.yml'), 'utf8'), {
  merge: true,
});
/** `deployment/auth` and so on. */
const workloads = readdirSync(path.join(repoRoot, 'k8s'))
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => parseAllDocuments(readFileSync(path.join(repoRoot, 'k8s', file), 'utf8')))
  .map((document) => `${String(document.get('kind')).toLowerCase()}/${document.getIn(['metadata', 'name'])}`);

/** Exit code, standard output and standard error, for success and failure. */
async function output(command: string, args: string[]): Promise<{ code: number; text: string }> {
  const done = run(command, args, { cwd: repoRoot, maxBuffer: 1 << 24 });
  return done.then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      text: error.stdout + error.stderr,
    }),
  );
}

/** promtool and amtool come with the servers. */
const checked = async (tool: 'promtool' | 'amtool', ...args: string[]) => {
  const server = requireProgram(tool === 'promtool' ? 'prometheus' : 'alertmanager');
  const { code, text } = await output(path.join(path.dirname(server), tool), args);
  return { code, text, complaints: text.split('\n').filter((line) => /fail|warn|error|lint/i.test(line)) };
};
const fine = { code: 0, complaints: [] };

const scratch = () => mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'prometheus-'));

describe('the tools accept', () => {
  let alertmanagerYml: string;
  beforeAll(async () => {
    alertmanagerYml = await renderAlertmanagerConfig({ dir: await scratch(), secrets: '/run/secrets' });
  });

  test('prometheus.yml', async () => {
    expect(await checked('promtool', 'check', 'config', 'monitoring/prometheus.yml')).toMatchObject(fine);
  });

  test.each(['recording_rules.yml', 'alerting_rules.yml'])('%s', async (file) => {
    expect(await checked('promtool', 'check', 'rules', `monitoring/${file}`)).toMatchObject(fine);
  });

  test('alertmanager.yml', async () => {
    expect(await checked('amtool', 'check-config', alertmanagerYml)).toMatchObject(fine);
  });

  test('the rendered prometheus.yml', async () => {
    const dir = await scratch();
    const names = [...serviceNames, 'alertmanager', 'localhost'];
    const addresses = Object.fromEntries([...names, 'nginx-exporter'].map((name) => [name, ['127.0.0.1:1']]));
    const file = await renderPrometheusConfig({
      dir,
      addresses: {
        ...addresses,
        'mysqld-exporter': [],
        'redis-exporter': [],
        'node-exporter': [],
        'blackbox-exporter': [],
        loki: [],
        'fluent-bit': [],
      },
    });
    expect(await checked('promtool', 'check', 'config', file)).toMatchObject(fine);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/job_name: nginx/);
    expect(text).not.toMatch(/job_name: redis|job_name: mysql|exporter:/);
  });

  test.each([
    [{ environment: 'production', severity: 'critical' }, 'production-on-call'],
    [{ environment: 'production', severity: 'warning' }, 'production'],
    [{ environment: 'testnet', severity: 'critical' }, 'testnet'],
    [{ environment: 'local', severity: 'critical' }, 'local'],
    [{ environment: 'production', alertname: 'Watchdog', severity: 'none' }, 'heartbeat'],
    [{ environment: 'testnet', alertname: 'Watchdog', severity: 'none' }, 'local'],
  ])('alerts with %j are routed to %s', async (labels, receiver) => {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const args = ['config', 'routes', 'test', `--config.file=${alertmanagerYml}`, `--verify.receivers=${receiver}`];
    expect(await checked('amtool', ...args, ...pairs)).toMatchObject({ code: 0 });
  });
});

describe('each alert', () => {
  test('has a passing test in which it fires and one in which it does not', async () => {
    const { code, text } = await checked('promtool', 'test', 'rules', ...ruleTestFiles);
    expect([code, text]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const cases = ruleTests().flatMap(({ alert_rule_test = [] }) => alert_rule_test);
    const names = alerts.map(({ alert }) => alert).sort();
    const those = (fires: boolean) => {
      const found = cases.filter(({ exp_alerts = [] }) => exp_alerts.length > 0 === fires);
      return [...new Set(found.map(({ alertname }) => alertname))].sort();
    };
    // Watchdog always fires.
    expect([those(true), those(false)]).toEqual([names, names.filter((name) => name !== 'Watchdog')]);
  });

  test('with a `for` has a test in which its condition holds but not long enough', () => {
    const patient = alerts.filter((rule) => rule.for).map(({ alert }) => alert);
    const shown = ruleTests().flatMap(({ alert_rule_test: [first, next] = [] }) =>
      first?.exp_alerts?.length === 0 && next?.exp_alerts?.length ? [next.alertname] : [],
    );
    expect([...new Set(shown)].sort()).toEqual(patient.sort());
  });

  test('has a runbook of the same name; no runbook is unused', () => {
    const pages = readdirSync(runbooks).sort();
    expect(pages).toEqual(alerts.map(({ alert }) => `${alert}.md`).sort());
    for (const { alert, labels, annotations } of alerts) {
      expect(annotations?.runbook_url).toBe(`{{ $externalLabels.runbooks }}/${alert}.md`);
      const page = readFileSync(path.join(runbooks, `${alert}.md`), 'utf8');
      expect(page).toMatch(new RegExp(`^# ${alert} \\(${labels?.severity}\\)\n\n\\S`));
      expect([alert, page.match(/^## .*/gm)]).toEqual([alert, ['## Look at', '## Do', '## Commands', '## Escalate']]);
      expect([alert, page]).toEqual([alert, expect.stringMatching(/\n## Escalate\n\n[A-Z].*\.\n$/)]);
    }
  });

  test.each(alerts.map(({ alert }) => alert))(
    '%s: its runbook has commands for each deployment that exist',
    (alert) => {
      const page = readFileSync(path.join(runbooks, `${alert}.md`), 'utf8');
      const [, block = ''] = /\n## Commands\n\n```sh\n([\s\S]*?)```/.exec(page) ?? [];
      expect(block.match(/^# .*/gm)).toEqual(['# Compose', '# Swarm', '# Kubernetes']);
      for (const part of block.split(/^# .*\n/m).slice(1)) expect(part.trim()).not.toBe('');
      // Commands in quotes run in a container, with its variables.
      const args = ['--shell=bash', '--exclude=SC2016', '--format=gcc', '-'];
      const { stdout } = spawnSync(requireProgram('shellcheck'), args, { input: block, encoding: 'utf8' });
      expect(stdout).toBe('');
      const named = (pattern: RegExp) => [...block.matchAll(pattern)].map(([, name = '']) => name);
      const composed = named(/docker compose (?:exec|restart|logs (?:-\S+ |\d+m )+)\s?([a-z][a-z-]+)/g);
      const inSwarm = named(/\bshop_([a-z-]+)/g);
      expect([...composed, ...inSwarm].filter((name) => !(name in compose.services))).toEqual([]);
      const inKubernetes = named(/-n shop .*?\b((?:deployment|statefulset|cronjob)\/[a-z-]+)/g);
      expect(inKubernetes.filter((name) => !workloads.includes(name))).toEqual([]);
    },
  );

  test('has a severity, a summary and a description in whole sentences', () => {
    for (const { alert, labels, annotations } of alerts) {
      const severity = alert === 'Watchdog' ? /^none$/ : /^(critical|warning)$/;
      expect([alert, labels?.severity]).toEqual([alert, expect.stringMatching(severity)]);
      const summary = annotations?.summary?.replaceAll(/\{\{.*?\}\}/g, '…');
      expect([alert, summary]).toEqual([alert, expect.stringMatching(/^.{5,80}$/)]);
      expect([alert, annotations?.description]).toEqual([alert, expect.stringMatching(/^.{20,}\.$/)]);
    }
  });
});

test('scripts/restore-prometheus-yml.sh recreates prometheus.yml to the byte', async () => {
  const { code, text } = await output('scripts/restore-prometheus-yml.sh', ['--print']);
  expect([code, text]).toEqual([0, readFileSync(path.join(monitoringDir, 'prometheus.yml'), 'utf8')]);
});

describe('the dashboard', () => {
  const board = dashboard();
  const panels = board.panels.filter(({ type }) => type !== 'row');
  const of = (panel: Panel, id: string) =>
    panel.fieldConfig?.overrides.some(({ properties }) => properties.some((one) => one.id === id));

  test('matches the Grafana version of the compose file', () => {
    const compose = readFileSync(path.join(repoRoot, 'docker-compose.yml'), 'utf8');
    const [, major] = /image: grafana\/grafana:(\d+)\./.exec(compose) ?? [];
    // DASHBOARD_SCHEMA_VERSION in Grafana's source: 41 in 12.0 and 12.1, 42 since 12.2.
    const current: Record<string, number[]> = { '12': [41, 42] };
    expect(current[major ?? '']).toContain(board.schemaVersion);
  });

  test('has no panel of a removed Grafana type', () => {
    expect([...new Set(panels.map(({ type }) => type))].sort()).toEqual(['stat', 'table', 'timeseries']);
  });

  test.each(panels.map((panel) => [panel.title, panel] as const))('%s: description, unit and legend', (_, panel) => {
    expect(panel.description).toMatch(/^.{15,}\.$/);
    expect(panel.fieldConfig?.defaults.unit || of(panel, 'unit')).toBeTruthy();
    expect(panel.targets?.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of panel.targets ?? []) {
      expect(expr).not.toBe('');
      // A table has column names instead of legends.
      if (panel.type !== 'table') expect(legendFormat).toBeTruthy();
    }
  });

  test('places every panel: none overlaps another, none is wider than the screen', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of board.panels) {
      expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, taken.has(`${x},${y}`)]).toEqual([title, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  });

  const processes = [...serviceNames.map((service) => `${service}:1`), 'store:2'];
  test.each<[what: string, otherwise: Record<string, string>, share: number]>([
    ['all are up', {}, 1],
    ['a scrape fails', { 'auth:1': '0x5' }, 6 / 7],
    ['one of two replicas does not respond', { 'store:2': '0x5' }, 6 / 7],
    ['a stopped container and its target have left DNS', { 'auth:1': '1x2 stale' }, 6 / 7],
    ['two services never existed', { 'auth:1': '_x5', 'file:1': '_x5' }, 5 / 7],
    ['nothing is up', Object.fromEntries(processes.map((instance) => [instance, '_x5'])), 0],
  ])('"Services up" shows the gap: %s', async (_, otherwise, share) => {
    const [panel] = panels.filter(({ title }) => title === 'Services up');
    const input_series = processes.map((instance) => ({
      series: `up{job="shop", service="${instance.replace(/:.*/, '')}", instance="${instance}"}`,
      values: otherwise[instance] ?? '1x5',
    }));
    const exp_samples = [{ labels: '{}', value: share }];
    const promql_expr_test = panel?.targets?.map(({ expr }) => ({ expr, eval_time: '5m', exp_samples }));
    const file = path.join(await scratch(), 'services-up.yml');
    await writeFile(file, stringify({ tests: [{ interval: '1m', input_series, promql_expr_test }] }));
    const { code, text } = await checked('promtool', 'test', 'rules', file);
    expect([code, text]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  test('can be filtered by service and instance', () => {
    expect(board.templating.list.map(({ name }) => name)).toEqual(['service', 'instance']);
  });
});

test('selectorsIn finds the series that an expression reads', () => {
  const texts = (expr: string) => selectorsIn(expr).map(({ text }) => text);
  expect(texts('sum by (le) (rate(a_total{b="x} or (y", c!~"d"}[5m])) / (sum(e:f:g) > 0) or vector(50)')).toEqual([
    'a_total{b="x} or (y", c!~"d"}',
    'e:f:g',
  ]);
  expect(texts('clamp_min(3 * avg_over_time(x[1d] offset 10m), 50) unless on (a) absent(up{job="s"})')).toEqual([
    'x',
    'up{job="s"}',
  ]);
  expect(texts('label_replace(rate(n[1m]), "class", "$1xx", "status", "(.).*") and m > bool 1e3')).toEqual(['n', 'm']);
});
