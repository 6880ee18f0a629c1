import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  accessLog,
  type Echo,
  fillTemplates,
  freePort,
  type Gateway,
  sendRequest,
  startEcho,
  startGateway,
  startNginx,
  temporaryFolder,
  until,
} from './support/nginx-gateway';

const toStop: (() => Promise<void>)[] = [];
const gatewayOver = async (...upstreams: Parameters<typeof startGateway>): Promise<Gateway> => {
  const gateway = await startGateway(...upstreams);
  toStop.push(gateway.stop);
  return gateway;
};
const echo = async (...start: Parameters<typeof startEcho>): Promise<Echo> => {
  const started = await startEcho(...start);
  toStop.push(started.close);
  return started;
};

afterEach(async () => {
  for (const stop of toStop.splice(0).reverse()) await stop();
});

test.each(['GET', 'PUT', 'POST', 'PATCH'])(
  '%s goes to the live replica when the other refuses connections',
  async (method) => {
    const live = await echo('product');
    const gateway = await gatewayOver({ product: [`127.0.0.1:${await freePort()}`, live.address] });
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => sendRequest(gateway.port, '/api/v1/products/1', { method, body: '{"a":1}' })),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(live.seen).toHaveLength(20);
    expect((await accessLog(gateway)).some(({ upstream_status }) => upstream_status === '502, 200')).toBe(true);
  },
);

test.each([
  ['GET', 2, 200],
  ['PUT', 2, 200],
  ['POST', 1, 503],
  ['PATCH', 1, 503],
])('%s whose replica dies after receiving it is sent %i time(s)', async (method, times, status) => {
  let drops = 1;
  const dropNext = () => drops-- > 0;
  const both = [await echo('product', 0, dropNext), await echo('product', 0, dropNext)];
  const gateway = await gatewayOver({ product: both.map(({ address }) => address) });
  const response = await sendRequest(gateway.port, '/api/v1/products/1', { method, body: '{"a":1}' });
  expect([response.status, both.flatMap(({ seen }) => seen).length]).toEqual([status, times]);
  if (status === 503) expect(response.json.code).toBe('upstream_unavailable');
});

test.each([
  ['a checkout', '/api/v1/transactions', 2, 200],
  ['an address', '/api/v1/addresses', 2, 200],
  ['a category', '/api/v1/categories', 2, 200],
  ['a registration, which accepts no key,', '/api/v1/auth/register', 1, 503],
])(
  '%s with an idempotency key whose replica dies after receiving it is sent to %s %i time(s)',
  async (_, path, times, status) => {
    let drops = 1;
    const dropNext = () => drops-- > 0;
    const both = [await echo('any', 0, dropNext), await echo('any', 0, dropNext)];
    const addresses = both.map(({ address }) => address);
    const gateway = await gatewayOver({ transaction: addresses, address: addresses, auth: addresses });
    const headers = { 'idempotency-key': 'k', 'x-request-id': 'keyed-1' };
    const response = await sendRequest(gateway.port, `${path}?a=%20`, { method: 'POST', body: '{"a":1}', headers });
    const seen = both.flatMap((one) => one.seen);
    expect([response.status, seen.length]).toEqual([status, times]);
    for (const { method, url, bytes, headers: got } of seen) {
      expect([method, url, bytes, got['idempotency-key'], got['x-request-id']]).toEqual([
        'POST',
        `${path}?a=%20`,
        7,
        'k',
        'keyed-1',
      ]);
    }
  },
);

test('a write with a key gets the same 503 when no replica is up', async () => {
  const gateway = await gatewayOver({ transaction: [`127.0.0.1:${await freePort()}`] });
  const headers = { 'idempotency-key': 'k' };
  const response = await sendRequest(gateway.port, '/api/v1/transactions', { method: 'POST', body: '{}', headers });
  expect([response.status, response.json.code, response.json.status]).toEqual([503, 'upstream_unavailable', 503]);
});

test('a 503 has Retry-After when every replica is down', async () => {
  const gateway = await gatewayOver({ product: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`] });
  const { status, headers, json } = await sendRequest(gateway.port, '/api/v1/products');
  expect([status, headers['content-type'], headers['retry-after']]).toEqual([503, 'application/problem+json', '1']);
  expect(json).toEqual({
    type: '/docs/errors/upstream_unavailable',
    title: 'Service Unavailable',
    status: 503,
    detail: expect.any(String),
    code: 'upstream_unavailable',
    request_id: headers['x-request-id'],
  });
});

test('nginx starts before its services and uses them once they are up', async () => {
  const port = await freePort();
  const gateway = await gatewayOver({ product: [`127.0.0.1:${port}`] });
  const get = () => sendRequest(gateway.port, '/api/v1/products');
  const untilServed = () => until('200', async () => ((await get()).status === 200 ? true : undefined));
  expect((await get()).status).toBe(503);
  const first = await echo('product', port);
  await untilServed();
  await first.close();
  expect((await get()).status).toBe(503);
  await echo('product', port);
  await untilServed();
});

test('a replica restart under load fails no GET', async () => {
  const stays = await echo('product');
  const leaves = await echo('product');
  const gateway = await gatewayOver({ product: [stays.address, leaves.address] });
  const statuses: number[] = [];
  let stop = false;
  const client = async () => {
    while (!stop) statuses.push((await sendRequest(gateway.port, '/api/v1/products/1')).status);
  };
  const clients = Array.from({ length: 8 }, client);
  await until('both serve', async () => (leaves.seen.length > 20 ? true : undefined));
  await leaves.close();
  const seen = stays.seen.length;
  await until('one serves', async () => (stays.seen.length > seen + 200 ? true : undefined));
  stop = true;
  await Promise.all(clients);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});

/** A DNS server that returns one address for each name in `known`. */
async function startNames(): Promise<{ port: number; known: Set<string> }> {
  const known = new Set<string>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12);
    const question = query.subarray(12, end + 5);
    const name = question.toString('latin1', 1, 1 + (question[0] ?? 0));
    const isA = question.readUInt16BE(question.length - 4) === 1;
    const found = known.has(name);
    const response = Buffer.from('c00c00010001000000010004' + '7f000001', 'hex');
    const responses = found && isA ? [response] : [];
    const head = Buffer.from([
      ...query.subarray(0, 2),
      0x81,
      found ? 0x80 : 0x83,
      0,
      1,
      0,
      responses.length,
      0,
      0,
      0,
      0,
    ]);
    socket.send(Buffer.concat([head, question, ...responses]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  toStop.push(() => new Promise((resolve) => socket.close(resolve)));
  return { port: socket.address().port, known };
}

test('resolves names at runtime, as in containers', async () => {
  const names = await startNames();
  const [runDir, port, product] = [await temporaryFolder(), await freePort(), await echo('product')];
  const nginxDir = join(__dirname, '../nginx');
  const environment: Record<string, string> = {
    AUTH_UPSTREAM: 'auth:8080',
    PRODUCT_UPSTREAM: `product:${product.port}`,
    TRANSACTION_UPSTREAM: 'transaction:8082',
    ADDRESS_UPSTREAM: 'address:8083',
    STORE_UPSTREAM: 'store:8084',
    FILE_UPSTREAM: 'file:8085',
    NGINX_LISTEN: `listen 127.0.0.1:${port};`,
    NGINX_RESOLVER: `127.0.0.1:${names.port}`,
    NGINX_PROXY_BIND: '',
    NGINX_HTML: join(nginxDir, 'html'),
    NGINX_CACHE: join(runDir, 'cache'),
    NGINX_ACCESS_LOG: join(runDir, 'access.log'),
    NGINX_HTTPS_ONLY: '',
    APP_ENV: 'production',
    CORS_ORIGINS: 'https://shop.example',
  };
  const config = await fillTemplates(runDir, ['templates/default.conf.template'], environment);
  const gateway = await startNginx(config, runDir, port);
  toStop.push(gateway.stop);

  const unknown = await sendRequest(port, '/api/v1/products');
  expect([unknown.status, unknown.json.code]).toEqual([503, 'upstream_unavailable']);
  const listed = await sendRequest(port, '/nothing', { headers: { origin: 'https://shop.example' } });
  expect(listed.headers['access-control-allow-origin']).toBe('https://shop.example');
  names.known.add('product');
  const response = await until('the name is known', async () => {
    const { status, json } = await sendRequest(port, '/api/v1/products/%2e%2e/1?q=%20');
    return status === 200 ? json : undefined;
  });
  expect([response.url, response.peer]).toEqual(['/api/v1/products/%2e%2e/1?q=%20', '127.0.0.1']);
  expect((await sendRequest(port, '/openapi.json')).status).toBe(200);
});
