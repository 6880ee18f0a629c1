import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { repoRoot, requireProgram } from '@shop/test-servers';
import { type DevSettings, devSettings, printed, type Run, resultOf, startCommand } from './support/dev-shop';
import { documents, type ShellBlock, shellBlocksIn } from './support/documents';

/** For each document with blocks that run, what they print, in this order. */
const PRINTED: Record<string, RegExp> = {
  'README.md': /16 steps, all successful.*"token".*"data":\[/s,
  'docs/api/getting-started.md': /"email_taken".*"Blue mug".*"status":"pending".*"status":"shipped".*"path":"price"/s,
  'docs/api/index.md': /"data":\[/,
  'docs/api/pagination.md': /"pagination":/,
  'docs/backups.md': /^backup \S+ in \S+ is complete$/m,
  'docs/guides/cloud-costs.md': /^\d+ requests, \d+ bytes each\n\d+\.\d+ MB of uploads$/m,
  'docs/guides/compliance.md': /"email":"grace@example\.com".*^deleted: 204$.*"code":"invalid_credentials"/ms,
  'docs/guides/database-testing.md':
    /db_pool_waiting.*SHOW FULL PROCESSLIST.*^max_connections\t\d+$.*^X-Cache: .*^seconds: .*^cache_requests_total{.*^X-Cache: [A-Z]+\s+buffer pool hit ratio: \d+\.\d\d %\ndb_query_.*^id\tselect_type/ms,
  'docs/guides/editor.md': /^the same$/m,
  'docs/guides/incident-response.md': /^ *\d+ 127\.0\.0\.1$/m,
  'docs/guides/load-testing.md': /^# of samples: \d+\n\n[\d.]+k? requests in /m,
  'docs/guides/redis.md':
    /^PONG$.*cache:version:.*^maxmemory_policy:.*^keyspace_hits:.*^OK\nHTTP\S+ 200 .*^X-Cache: /ms,
  'docs/guides/schema.md': / {2}0001_first_tables\.sql.*^Admin\tadmin@example\.com\tadmin$/ms,
  'docs/guides/secrets.md': /^[0-9a-f]{64}$/m,
  'docs/proving-orders.md': /^using the running fleet's database: .*all stock adds up$/ms,
  'docs/restoring.md': /^recovery time: \d+ s.*^the drill of backup \S+ has succeeded$/ms,
  'tools/dev/README.md': /healthy.*{"status":"ok"/s,
};

const blocks = documents.flatMap((document) => shellBlocksIn(document));
const tagged = (document: string, tag: string) => shellBlocksIn(document).filter((block) => block.tag === tag);

describe('shellcheck has nothing to say about', () => {
  test.each(documents.filter((document) => shellBlocksIn(document).length > 0))('%s', (document) => {
    expect(
      shellBlocksIn(document)
        .filter(({ tag }) => tag !== 'shown')
        .flatMap(complaints),
    ).toEqual([]);
  });

  test('but it has about a block that is not shell', () => {
    const block: ShellBlock = { document: 'a.md', line: 7, language: 'sh', info: 'dry', tag: 'dry', text: '' };
    expect(complaints({ ...block, text: 'true\nfor name in a b; echo "$name"\n' })[0]).toMatch(/^a\.md:9: .*SC1073/);
  });
});

/** Of a block on its own: a reader who types it sees a failing `cd`, and may paste a function for a later block. */
function complaints({ document, line, text }: ShellBlock): string[] {
  const args = ['--shell=bash', '--severity=warning', '--exclude=SC2164,SC2034', '--format=gcc', '-'];
  const { status, stdout, stderr } = spawnSync(requireProgram('shellcheck'), args, { input: text, encoding: 'utf8' });
  if (status !== 0 && !stdout) throw new Error(`shellcheck: ${stderr}`);
  return [...stdout.matchAll(/^-:(\d+):\d+: (.*)$/gm)].map(
    ([, at, said]) => `${document}:${line + Number(at)}: ${said}`,
  );
}

describe('the blocks tagged run, against the shop of the block tagged start', () => {
  const dir = mkdtempSync(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'documents-'));
  let settings: DevSettings;
  let shop: Run;

  beforeAll(async () => {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: repoRoot });
    settings = await devSettings(dir);
    settings.env.BACKUP_TARGET = path.join(dir, 'backups');
    const [start] = tagged('README.md', 'start');
    // The limit would stop a test that types faster than a person.
    const limits = { RATE_LIMIT_PER_SECOND: '100000', RATE_LIMIT_BURST: '100000' };
    shop = bash(start?.text ?? '', { ...settings.env, ...limits });
    await printed(shop, /^Ctrl\+C stops/m);
  });

  afterAll(async () => {
    await resultOf(bash('./run-services.sh stop', settings.env));
    expect(await resultOf(shop)).toMatchObject({ code: 0 });
  });

  const bash = (text: string, env: NodeJS.ProcessEnv): Run =>
    startCommand('bash', ['-euo', 'pipefail', '-c', text], { cwd: repoRoot, env });

  /** The text with this shop's ports and data folder instead of the usual ones. */
  function here(text: string): string {
    const usual = ['auth', 'product', 'transaction', 'address', 'store', 'file'].map((name, n) => [8080 + n, name]);
    const ports = new Map([...usual, [8000, 'gateway'], [3307, 'db'], [6379, 'redis']] as [number, string][]);
    return text
      .replaceAll(/\b\d{4}\b/g, (port) => String(settings.ports.get(ports.get(Number(port)) ?? '') ?? port))
      .replaceAll(/(?<![\w/])\.data\//g, `${dir}/`);
  }

  test.each(documents.filter((document) => tagged(document, 'run').length > 0))('%s', async (document) => {
    // As in a terminal of its own, where only the data folder is set: the commands find the running shop by it.
    const { DB_PORT, APP_ENV, ...env } = settings.env;
    const text = tagged(document, 'run').map((block) => block.text);
    const typed = await resultOf(bash(here(text.join('\n')), env));
    expect(typed).toEqual({ code: 0, output: expect.stringMatching(PRINTED[document] ?? 'an entry in PRINTED') });
  });

  test('there is one shop to start, and every entry above has its blocks', () => {
    expect(blocks.filter(({ tag }) => tag === 'start').map(({ document }) => document)).toEqual(['README.md']);
    const running = documents.filter((document) => tagged(document, 'run').length > 0);
    expect(Object.keys(PRINTED).sort()).toEqual([...running].sort());
  });
});
