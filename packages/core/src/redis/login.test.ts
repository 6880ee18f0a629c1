import { randomUUID } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createResponseCache } from '@shop/core/cache';
import { setting } from '@shop/core/config';
import { createMetrics } from '@shop/core/metrics';
import { tokenBuckets } from '@shop/core/rate-limit';
import { connectRedis, type RedisLink, redisConfigOf, redisSettings } from '@shop/core/redis';
import { withTimeout } from '@shop/core/time';
import { freePort, type RedisServer, startRedis } from '@shop/test-servers';
import {
  type Authority,
  anAuthority,
  type CapturedLog,
  type Certificate,
  capturedLog,
  eventually,
  startProxy,
} from '@shop/testing';
import { Redis } from 'ioredis';

/** REDIS_TLS, REDIS_USER and REDIS_PASSWORD_FILE, against a server that accepts plain text and TLS. */

const dir = path.join(process.env.SHOP_TEST_DIR ?? '', `redis-login-${randomUUID()}`);
const [served, servedKey] = [`${dir}.pem`, `${dir}-key.pem`];
const passwordFile = `${dir}-password`;
let trusted: Authority;
let good: Certificate;
let redis: RedisServer;
let tlsPort: number;
let admin: Redis;

beforeAll(async () => {
  trusted = await anAuthority();
  good = await trusted.issue('DNS:localhost,IP:127.0.0.1');
  await install(good);
  tlsPort = await freePort();
  const config = {
    'tls-port': String(tlsPort),
    'tls-cert-file': served,
    'tls-key-file': servedKey,
    'tls-ca-cert-file': trusted.ca,
    'tls-auth-clients': 'no',
  };
  redis = await startRedis({ dir, dieWithParent: true, config });
  admin = new Redis({ port: redis.port });
});
afterAll(async () => {
  admin?.disconnect();
  await redis?.stop();
});

async function install({ certificate, key }: Certificate): Promise<void> {
  await copyFile(certificate, served);
  await copyFile(key, servedKey);
}

/** Makes the server present another certificate. */
async function present(certificate: Certificate): Promise<void> {
  await install(certificate);
  await admin.config('SET', 'tls-cert-file', served, 'tls-key-file', servedKey);
}

interface Linked {
  link: RedisLink;
  log: CapturedLog;
}

const links: RedisLink[] = [];
afterEach(() => Promise.all(links.splice(0).map((link) => link.close())));

async function connected(env: Record<string, string>): Promise<Linked> {
  const log = capturedLog();
  const settings = redisSettings.parse({ REDIS_HOST: 'localhost', REDIS_PORT: String(redis.port), ...env });
  const config = redisConfigOf(settings, env);
  const link = connectRedis(config, { logger: log.logger, metrics: createMetrics('example') });
  links.push(link);
  // As in runService: a Redis that rejects commands is tried again without end.
  await withTimeout(link.firstAttempt(), 3000, () => undefined);
  return { link, log };
}

const isUp = ({ link }: Linked) => eventually('Redis to be up', () => link.status() === 'up');
const logs = ({ log }: Linked, reason: string | RegExp) =>
  eventually(`a log line with ${reason}`, () => log.lines().some((line) => String(line.reason).match(reason)));
const overTls = (REDIS_HOST: string, REDIS_TLS: string) =>
  connected({ REDIS_HOST, REDIS_PORT: String(tlsPort), REDIS_TLS });

describe('REDIS_TLS', () => {
  test.each(['localhost', '127.0.0.1'])('accepts a certificate of the given authority for %s', async (host) => {
    await present(good);
    const { link } = await overTls(host, trusted.ca);
    expect(link.status()).toBe('up');
    await link.use('example', (client) => client.set('over-tls', '1'));
    expect(await admin.get('over-tls')).toBe('1');
  });

  test.each<[string, () => Promise<[Certificate, ca: string]>, RegExp]>([
    ['of an unknown authority', async () => [good, (await anAuthority()).ca], /certificate/],
    ['of an authority that is not public, with REDIS_TLS=on', async () => [good, 'on'], /certificate/],
    ['for another host name', async () => [await trusted.issue('DNS:cache.example'), trusted.ca], /altnames/],
    [
      'that has expired',
      async () => [await trusted.issue('DNS:localhost', { expired: true }), trusted.ca],
      /certificate has expired/,
    ],
  ])('refuses a certificate %s, logs why, and needs no restart once it is replaced', async (_, prepare, reason) => {
    const [certificate, ca] = await prepare();
    await present(certificate);
    const linked = await overTls('localhost', ca);
    await logs(linked, reason);
    expect(linked.link.status()).toBe('down');
    if (ca !== trusted.ca) return;
    await present(good);
    await isUp(linked);
  });

  test('sends neither the password nor a command in plain text', async () => {
    await present(good);
    const proxy = await startProxy({ host: '127.0.0.1', port: tlsPort });
    let sent = '';
    proxy.toServer = (bytes) => {
      sent += bytes.toString('latin1');
      return bytes;
    };
    const env = { REDIS_PORT: String(proxy.port), REDIS_PASSWORD: 'a-password' };
    const { link } = await connected({ ...env, REDIS_TLS: trusted.ca });
    expect(link.status()).toBe('up');
    for (const secret of ['a-password', 'info', 'INFO', 'hello']) expect(sent).not.toContain(secret);
    sent = '';
    // The same without TLS, which shows that the search can find them.
    await connected(env);
    expect(sent).toContain('a-password');
    await proxy.close();
  });

  test('is not used with a server without TLS, and a server with TLS not without it', async () => {
    // Such a server waits for the end of what it takes for a command.
    await logs(await connected({ REDIS_TLS: trusted.ca }), /ETIMEDOUT|disconnected before secure TLS/);
    await logs(await connected({ REDIS_PORT: String(tlsPort) }), /closed|ECONNRESET/);
  });
});

describe('REDIS_USER', () => {
  test('logs in as that user', async () => {
    await admin.acl('SETUSER', 'shop', 'on', '>secret', '~*', '+@all');
    const { link } = await connected({ REDIS_USER: 'shop', REDIS_PASSWORD: 'secret' });
    expect(await link.use('example', (client) => client.acl('WHOAMI'))).toBe('shop');
  });

  test('may be limited to the commands that the documentation lists', async () => {
    await admin.acl('SETUSER', 'few', 'on', '>secret', '~cache:*', '~rate:*', ...COMMANDS);
    const { link } = await connected({ REDIS_USER: 'few', REDIS_PASSWORD: 'secret' });
    expect(link.status()).toBe('up');
    const buckets = tokenBuckets(link, { perSecond: 1, burst: 1 });
    expect(await buckets.take('rate:example')).toMatchObject({ store: 'redis', allowed: true });
    const metrics = createMetrics('example');
    const generation = {
      current: async () => 'now',
      renew: () => Promise.reject(new Error('renewed')),
      close: () => undefined,
    };
    const cache = createResponseCache({ redis: link, generation, metrics });
    const rule = { key: '1', ttlSeconds: 60, scopes: ['thing:1'] };
    const get = async () => (await cache.getOrLoad('/thing', rule, async () => Buffer.from('thing'))).status;
    expect([await get(), await get()]).toEqual(['miss', 'hit']);
    await cache.invalidate(rule.scopes);
    expect(await get()).toBe('miss');
  });
});

/** As in docs/deploying.md. */
const COMMANDS = '+@connection +info +get +mget +set +unlink +eval +evalsha +time'.split(' ');

describe('REDIS_PASSWORD_FILE', () => {
  const onServer = (...rules: string[]) => admin.acl('SETUSER', 'rotated', 'on', '~*', '+@all', ...rules);
  const cutConnections = () => admin.call('CLIENT', 'KILL', 'USER', 'rotated');

  test('is read again for each new connection, in either order of the changes', async () => {
    await onServer('>first');
    await writeFile(passwordFile, 'first\n');
    const linked = await connected({
      REDIS_USER: 'rotated',
      REDIS_PASSWORD: 'first',
      REDIS_PASSWORD_FILE: passwordFile,
    });
    expect(linked.link.status()).toBe('up');

    await onServer('<first', '>second');
    expect(await linked.link.use('example', (client) => client.acl('WHOAMI'))).toBe('rotated');
    await cutConnections();
    await logs(linked, 'WRONGPASS');
    await writeFile(passwordFile, 'second\n');
    await isUp(linked);

    await writeFile(passwordFile, 'third\n');
    expect(await linked.link.use('example', (client) => client.acl('WHOAMI'))).toBe('rotated');
    await cutConnections();
    await eventually('the connection to be refused', () => linked.link.status() === 'down');
    await onServer('<second', '>third');
    await isUp(linked);
  });
});

test('a Redis Cluster is refused, and the log says so', async () => {
  const cluster = await startRedis({
    dir: `${dir}-cluster`,
    dieWithParent: true,
    config: { 'cluster-enabled': 'yes', 'cluster-port': String(await freePort()) },
  });
  const linked = await connected({ REDIS_PORT: String(cluster.port) });
  await logs(linked, /Redis Cluster, which the shop does not support/);
  expect(linked.link.status()).toBe('down');
  await linked.link.close();
  await cluster.stop();
});

test.each([
  [
    'a:1, b ,[::1]:3',
    [
      { host: 'a', port: 1 },
      { host: 'b', port: 26379 },
      { host: '::1', port: 3 },
    ],
  ],
])('a list of addresses: %s', (text, addresses) => {
  expect(setting.addressList(26_379).parse(text)).toEqual(addresses);
});

test.each(['', 'a:0', 'a:65536', 'a:b', 'a,,b', '::1'])('no list of addresses: "%s"', (text) => {
  expect(setting.addressList(26_379).safeParse(text).success).toBe(false);
});
