import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { applySchema, type MysqlServer, probeDatabase, startMysql, withConnection } from '@shop/test-servers';
import {
  type Authority,
  anAuthority,
  type Certificate,
  eventually,
  exampleService,
  startApp,
  startExampleProcess,
  startProxy,
} from '@shop/testing';

/** DB_TLS, against servers with certificates of their own. They are called localhost, because DB_TLS needs a host name. */

const dir = path.join(process.env.SHOP_TEST_DIR ?? '', `tls-${randomUUID()}`);
const [served, servedKey] = [`${dir}.pem`, `${dir}-key.pem`];
let trusted: Authority;
let good: Certificate;
let mysql: MysqlServer;
let withoutTls: MysqlServer;

const start = (name: string, extraArgs: string[]) =>
  startMysql({
    dir: path.join(dir, name),
    templates: path.join(process.env.SHOP_TEST_DIR ?? '', 'templates'),
    superuser: true,
    dieWithParent: true,
    extraArgs,
  });

beforeAll(async () => {
  trusted = await anAuthority();
  good = await trusted.issue('DNS:localhost');
  await install(good);
  mysql = await start('tls', [`--ssl-cert=${served}`, `--ssl-key=${servedKey}`, `--ssl-ca=${trusted.ca}`]);
  // MySQL makes certificates of its own.
  withoutTls = await start('plain', mysql.program.flavour === 'mysql' ? ['--tls-version='] : []);
  await applySchema(mysql.settings);
});
afterAll(() => Promise.all([mysql?.stop(), withoutTls?.stop()]));

async function install({ certificate, key }: Certificate): Promise<void> {
  await copyFile(certificate, served);
  await copyFile(key, servedKey);
}

/** Makes the server present another certificate. */
async function present(certificate: Certificate): Promise<void> {
  await install(certificate);
  const reload = mysql.program.flavour === 'mysql' ? 'ALTER INSTANCE RELOAD TLS' : 'FLUSH SSL';
  await withConnection(mysql.settings, 60_000, (connection) => connection.query(reload));
}

const settingsOf = ({ port, user, password, database }: MysqlServer, tls: string) => ({
  DB_HOST: 'localhost',
  DB_PORT: String(port),
  DB_USER: user,
  DB_PASS: password,
  DB_NAME: database,
  DB_TLS: tls,
});

const service = exampleService(() => []);

/** The response of /ready. */
async function ready(settings: Record<string, string>): Promise<{ status: number; code?: string; detail?: string }> {
  const app = await startApp(service, settings);
  const ask = async () => await app.http.get('/ready');
  let response = await ask();
  // On a busy machine the database may take longer than the second that the probe waits.
  await eventually('a reason', async () => {
    response = await ask();
    return response.body.code !== 'database_unavailable';
  });
  await app.close();
  return { status: response.status, code: response.body.code, detail: response.body.detail };
}

test('a certificate of the given authority for the host name is accepted', async () => {
  await present(good);
  expect(await ready(settingsOf(mysql, trusted.ca))).toMatchObject({ status: 200 });
});

test.each<[string, () => Promise<[Certificate, ca: string]>, RegExp]>([
  ['of an unknown authority', async () => [good, (await anAuthority()).ca], /certificate/],
  ['of an authority that is not public, with DB_TLS=on', async () => [good, 'on'], /certificate/],
  [
    'for another host name',
    async () => [await trusted.issue('DNS:db.example'), trusted.ca],
    /Hostname\/IP does not match certificate's altnames/,
  ],
  [
    'for the IP address',
    async () => [await trusted.issue('IP:127.0.0.1'), trusted.ca],
    /Hostname\/IP does not match certificate's altnames/,
  ],
  [
    'that has expired',
    async () => [await trusted.issue('DNS:localhost', { expired: true }), trusted.ca],
    /certificate has expired/,
  ],
])('/ready says what is wrong with a certificate %s', async (_, prepare, reason) => {
  const [certificate, ca] = await prepare();
  try {
    await present(certificate);
  } catch (error) {
    // MySQL loads no certificate that has expired.
    if (/Invalid certificates/.test(String(error))) return;
    throw error;
  }
  const response = await ready(settingsOf(mysql, ca));
  expect(response).toMatchObject({ status: 503, code: 'database_tls_failed' });
  expect(response.detail).toMatch(/^DB_TLS: /);
  expect(response.detail).toMatch(reason);
  expect(await probeDatabase({ ...mysql.settings, host: 'localhost', tls: { ca: undefined } })).toMatchObject({
    state: 'other',
    message: expect.stringContaining('DB_TLS'),
  });
});

test('the log says what is wrong, and a corrected certificate is accepted without a restart', async () => {
  await present(await trusted.issue('DNS:db.example'));
  const process = await startExampleProcess(settingsOf(mysql, trusted.ca));
  await eventually('a log line', () => process.output().includes('cannot be used yet'));
  expect(process.output()).toContain("does not match certificate's altnames");
  await present(good);
  await eventually('/ready to be 200', async () => (await fetch(`${process.url}/ready`)).status === 200);
  await process.kill();
});

test('a server without TLS is not used, and gets nothing but the connection', async () => {
  const proxy = await startProxy({ host: '127.0.0.1', port: withoutTls.port });
  let sent = 0;
  proxy.toServer = (bytes) => {
    sent += bytes.length;
    return bytes;
  };
  const response = await ready({ ...settingsOf(withoutTls, trusted.ca), DB_PORT: String(proxy.port) });
  expect(response).toMatchObject({ status: 503, code: 'database_tls_failed' });
  expect(response.detail).toContain('Server does not support secure connection');
  expect(sent).toBe(0);
  await proxy.close();
});

test('neither the login nor a statement is sent in plain text', async () => {
  await present(good);
  const proxy = await startProxy({ host: '127.0.0.1', port: mysql.port });
  let sent = '';
  proxy.toServer = (bytes) => {
    sent += bytes.toString('latin1');
    return bytes;
  };
  const settings = { ...settingsOf(mysql, trusted.ca), DB_PORT: String(proxy.port) };
  expect(await ready(settings)).toMatchObject({ status: 200 });
  for (const secret of [mysql.database, 'SELECT', 'mysql_native_password']) expect(sent).not.toContain(secret);
  sent = '';
  // The same without TLS, which shows that the search can find them.
  await ready({ ...settings, DB_TLS: 'off' });
  for (const secret of [mysql.database, 'SELECT']) expect(sent).toContain(secret);
  await proxy.close();
});

test('a server that requires TLS says so to a service without it', async () => {
  await present(good);
  await withConnection(mysql.settings, 60_000, (connection) =>
    connection.query('SET GLOBAL require_secure_transport = ON'),
  );
  const code = mysql.program.flavour === 'mysql' ? 'database_tls_required' : 'database_login_rejected';
  expect(await ready(settingsOf(mysql, 'off'))).toMatchObject({ status: 503, code });
  expect(await ready(settingsOf(mysql, trusted.ca))).toMatchObject({ status: 200 });
});
