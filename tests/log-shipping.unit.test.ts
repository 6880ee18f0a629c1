import { readFileSync } from 'node:fs';
import path from 'node:path';
import { createLogger } from '@shop/core/log';
import { repoRoot } from '@shop/test-servers';
import { parse } from 'yaml';

/** monitoring/fluent-bit.yml and the dashboard of logs, on real lines. Follows Fluent Bit's documentation of each plugin. */

interface Parser {
  name: string;
  format: 'json' | 'regex';
  regex?: string;
  time_key?: string;
}

type Filter = { name: string; match: string } & Record<string, string | boolean>;
type Fields = Record<string, unknown>;

interface FluentBit {
  parsers: Parser[];
  pipeline: {
    inputs: { path_key: string; tag: string }[];
    filters: Filter[];
    outputs: { match: string; labels: string; remove_keys: string }[];
  };
}

const source = (file: string): string => readFileSync(path.join(repoRoot, file), 'utf8');
const config: FluentBit = parse(source('monitoring/fluent-bit.yml'));
const [input, output] = [config.pipeline.inputs[0], config.pipeline.outputs[0]];

function parseWith(name: string, text: string): Fields | undefined {
  const parser = config.parsers.find((one) => one.name === name);
  if (!parser) throw new Error(`there is no parser ${name}`);
  const { [parser.time_key ?? '']: time, ...fields } =
    parser.format === 'json'
      ? JSON.parse(text)
      : (new RegExp(parser.regex ?? '').exec(text)?.groups ?? { failed: true });
  if (parser.time_key && time === undefined) throw new Error(`${text}: no time`);
  return fields.failed ? undefined : fields;
}

/** What each filter does to a record; undefined: it is dropped. */
const filters: Record<string, (record: Fields, filter: Filter) => Fields | undefined> = {
  nest: ({ ...record }, { operation, nested_under }) => {
    if (operation !== 'lift') throw new Error(`unknown operation ${operation}`);
    const { [`${nested_under}`]: nested, ...rest } = record;
    return { ...rest, ...(nested as Fields) };
  },
  modify: (record, { rename, remove_wildcard }) => {
    const [from, to = ''] = `${rename ?? ''}`.split(' ');
    const entries = Object.entries(record).map(([key, value]): [string, unknown] => [key === from ? to : key, value]);
    return Object.fromEntries(entries.filter(([key]) => !remove_wildcard || !key.startsWith(`${remove_wildcard}`)));
  },
  parser: (record, { key_name, parser, reserve_data, preserve_key }) => {
    const key = `${key_name}`;
    const parsed = key in record ? parseWith(`${parser}`, `${record[key]}`) : undefined;
    if (!parsed) return record;
    const { [key]: original, ...rest } = record;
    return { ...(reserve_data ? rest : {}), ...(preserve_key ? { [key]: original } : {}), ...parsed };
  },
  grep: (record, { regex }) => {
    const [key = '', pattern = ''] = `${regex}`.split(' ');
    return new RegExp(pattern).test(`${record[key] ?? ''}`) ? record : undefined;
  },
};

/** What Loki gets for a line of a file; undefined: nothing. */
function shipped(file: string, parser: string, text: string): { labels: Fields; line: unknown } | undefined {
  let record: Fields | undefined = { ...parseWith(parser, text), [input?.path_key ?? '']: file };
  for (const filter of config.pipeline.filters) {
    expect(filter.match).toBe(input?.tag);
    record = record && filters[filter.name]?.(record, filter);
  }
  if (!record) return undefined;
  const found = record;
  const pairs = (output?.labels ?? '').split(', ').map((pair) => pair.split('=') as [string, string]);
  const labels = pairs.map(([label, value]) => [label, value.startsWith('$') ? found[value.slice(1)] : value]);
  const removed = [...(output?.remove_keys ?? '').split(', '), ...pairs.map(([, value]) => value.replace(/^\$/, ''))];
  const left = Object.entries(found).filter(([key]) => !removed.includes(key));
  // `drop_single_key` sends the only key that is left.
  expect(left.map(([key]) => key)).toEqual(['log']);
  return { labels: Object.fromEntries(labels.filter(([, value]) => value !== undefined)), line: left[0]?.[1] };
}

/** What a service writes. */
function serviceLine(): string {
  const lines: string[] = [];
  createLogger('auth', 'info', { write: (text) => lines.push(text) }).warn({ statement: 'x' }, 'slow statement');
  return lines.join('').trimEnd();
}

const id = 'a'.repeat(64);
const dockerFile = `/var/lib/docker/containers/${id}/${id}-json.log`;
const docker = (log: string, attrs?: object) =>
  JSON.stringify({
    log: `${log}\n`,
    stream: 'stdout',
    ...(attrs && { attrs }),
    time: '2026-11-27T20:09:23.123456789Z',
  });
const nginxLine = '{"time":"2026-11-27T20:09:23+00:00","client_ip":"203.0.113.7","status":200,"service":"auth"}';

test('Compose: the label container is the service, the label level is that of the line', () => {
  const line = serviceLine();
  expect(shipped(dockerFile, 'docker-line', docker(line, { 'com.docker.compose.service': 'auth' }))).toEqual({
    labels: { job: 'shop', container: 'auth', level: 'warn' },
    line: `${line}\n`,
  });
  expect(shipped(dockerFile, 'docker-line', docker(nginxLine, { 'com.docker.compose.service': 'nginx' }))).toEqual({
    labels: { job: 'shop', container: 'nginx' },
    line: `${nginxLine}\n`,
  });
});

test("Swarm: without the stack's name", () => {
  const attrs = { 'com.docker.swarm.service.name': 'shop_redis-exporter' };
  expect(shipped(dockerFile, 'docker-line', docker('level=info msg=x', attrs))).toEqual({
    labels: { job: 'shop', container: 'redis-exporter' },
    line: 'level=info msg=x\n',
  });
});

test("other containers' lines are not sent", () => {
  expect(shipped(dockerFile, 'docker-line', docker('x'))).toBeUndefined();
  expect(shipped(dockerFile, 'docker-line', docker('x', { tag: 'y' }))).toBeUndefined();
  const other = `/var/log/containers/coredns-1_kube-system_coredns-${id}.log`;
  expect(shipped(other, 'cri-line', '2026-11-27T20:09:23.123456789Z stdout F x')).toBeUndefined();
});

test('Kubernetes: pod and container come from the name of the file', () => {
  const line = serviceLine();
  const file = `/var/log/containers/auth-5b8f9c-x2x4z_shop_auth-${id}.log`;
  expect(shipped(file, 'cri-line', `2026-11-27T20:09:23.123456789+00:00 stdout F ${line}`)).toEqual({
    labels: { job: 'shop', container: 'auth', level: 'warn', pod: 'auth-5b8f9c-x2x4z' },
    line,
  });
});

describe('Compose', () => {
  const servicesIn = (file: string) =>
    (
      parse(source(file), { merge: true }) as {
        services: Record<string, { logging: { options: { labels: string } }; environment: Record<string, string> }>;
      }
    ).services;
  const logs = servicesIn('docker-compose.logs.yml');
  const services = { ...servicesIn('docker-compose.yml'), ...logs };

  test('makes Docker write the labels that are read, for each service', () => {
    const read = ['com.docker.compose.service', 'com.docker.swarm.service.name'];
    for (const { logging } of Object.values(services)) expect(logging.options.labels.split(',')).toEqual(read);
  });

  test('names a parser that exists, as the DaemonSet does', () => {
    const names = config.parsers.map(({ name }) => name);
    const [, inKubernetes] = /name: LOG_PARSER, value: (\S+) /.exec(source('k8s/alternatives/log-shipping.yaml')) ?? [];
    expect(names).toEqual(expect.arrayContaining([logs['fluent-bit']?.environment.LOG_PARSER, inKubernetes]));
  });
});

describe('the dashboard of logs', () => {
  interface Board {
    panels: { title: string; description: string; datasource: object; targets: { expr: string }[] }[];
    templating: { list: { name: string }[] };
  }
  const board: Board = JSON.parse(source('monitoring/grafana/dashboards/evermos-logs.json'));

  test.each(board.panels.map((panel) => [panel.title, panel] as const))(
    '%s uses labels and fields that exist',
    (_, panel) => {
      const [{ expr } = { expr: '' }] = panel.targets;
      expect(panel.description).toMatch(/^.{15,}\.$/);
      expect(panel.datasource).toEqual({
        type: 'loki',
        uid: parse(source('monitoring/grafana/provisioning/datasources/loki-datasource.yml')).datasources[0].uid,
      });
      const labels = [...(/\{(.*?)\}/.exec(expr)?.[1] ?? '').matchAll(/(\w+)=/g)].map(([, label]) => label);
      expect(['job', 'container', 'level', 'pod']).toEqual(expect.arrayContaining(labels));
      const fields = [...expr.matchAll(/by \((.*?)\)|\| (\w+)!?="/g)].flatMap(([, by, compared]) =>
        (by ?? compared ?? '').split(', '),
      );
      const known = ['container', 'level', 'route', 'statement', 'msg', 'client_ip'];
      expect(known).toEqual(expect.arrayContaining(fields));
      const variables = [...expr.matchAll(/\$(?!__)(\w+)/g)].map(([, name]) => name);
      expect(board.templating.list.map(({ name }) => name)).toEqual(expect.arrayContaining(variables));
    },
  );
});
