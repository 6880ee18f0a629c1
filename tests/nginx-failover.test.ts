import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  accessLog,
  ask,
  type Echo,
  fillTemplates,
  freePort,
  type Gateway,
  startEcho,
  startGateway,
  startNginx,
  temporaryFolder,
  until,
} from './nginx-support';

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

test.each(['GET', 'PUT', 'POST', 'PATCH'])('%s goes to the live instance when the other refuses', async (method) => {
  const live = await echo('product');
  const gateway = await gatewayOver({ product: [`127.0.0.1:${await freePort()}`, live.address] });
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => ask(gateway.port, '/api/v1/products/1', { method, body: '{"a":1}' })),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  expect(live.seen).toHaveLength(20);
  expect((await accessLog(gateway)).some(({ upstream_status }) => upstream_status === '502, 200')).toBe(true);
});

test.each([
  ['GET', 2, 200],
  ['PUT', 2, 200],
  ['POST', 1, 503],
  ['PATCH', 1, 503],
])('%s whose instance dies after taking it arrives %i time(s)', async (method, times, status) => {
  let drops = 1;
  const dropNext = () => drops-- > 0;
  const both = [await echo('product', 0, dropNext), await echo('product', 0, dropNext)];
  const gateway = await gatewayOver({ product: both.map(({ address }) => address) });
  const answer = await ask(gateway.port, '/api/v1/products/1', { method, body: '{"a":1}' });
  expect([answer.status, both.flatMap(({ seen }) => seen).length]).toEqual([status, times]);
  if (status === 503) expect(answer.json.code).toBe('upstream_unavailable');
});

test.each([
  ['a checkout', '/api/v1/transactions', 2, 200],
  ['a POST to a service that knows no keys', '/api/v1/addresses', 1, 503],
])('%s under a key whose instance dies after taking it arrives at %s %i time(s)', async (_, path, times, status) => {
  let drops = 1;
  const dropNext = () => drops-- > 0;
  const both = [await echo('any', 0, dropNext), await echo('any', 0, dropNext)];
  const addresses = both.map(({ address }) => address);
  const gateway = await gatewayOver({ transaction: addresses, address: addresses });
  const headers = { 'idempotency-key': 'k', 'x-request-id': 'keyed-1' };
  const answer = await ask(gateway.port, `${path}?a=%20`, { method: 'POST', body: '{"a":1}', headers });
  const seen = both.flatMap((one) => one.seen);
  expect([answer.status, seen.length]).toEqual([status, times]);
  for (const { method, url, bytes, headers: got } of seen) {
    expect([method, url, bytes, got['idempotency-key'], got['x-request-id']]).toEqual([
      'POST',
      `${path}?a=%20`,
      7,
      'k',
      'keyed-1',
    ]);
  }
});

test('a keyed checkout that nobody takes is the same 503', async () => {
  const gateway = await gatewayOver({ transaction: [`127.0.0.1:${await freePort()}`] });
  const headers = { 'idempotency-key': 'k' };
  const answer = await ask(gateway.port, '/api/v1/transactions', { method: 'POST', body: '{}', headers });
  expect([answer.status, answer.json.code, answer.json.status]).toEqual([503, 'upstream_unavailable', 503]);
});

test('every instance dead is a 503 that says when to come back', async () => {
  const gateway = await gatewayOver({ product: [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`] });
  const { status, headers, json } = await ask(gateway.port, '/api/v1/products');
  expect([status, headers['content-type'], headers['retry-after']]).toEqual([503, 'application/problem+json', '1']);
  expect(json).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: expect.any(String),
    code: 'upstream_unavailable',
    request_id: headers['x-request-id'],
  });
});

test('nginx starts before its services, and follows them', async () => {
  const port = await freePort();
  const gateway = await gatewayOver({ product: [`127.0.0.1:${port}`] });
  const answer = () => ask(gateway.port, '/api/v1/products');
  const answered = () => until('200', async () => ((await answer()).status === 200 ? true : undefined));
  expect((await answer()).status).toBe(503);
  const first = await echo('product', port);
  await answered();
  await first.close();
  expect((await answer()).status).toBe(503);
  await echo('product', port);
  await answered();
});

test('a replica that restarts under load costs no GET', async () => {
  const stays = await echo('product');
  const leaves = await echo('product');
  const gateway = await gatewayOver({ product: [stays.address, leaves.address] });
  const statuses: number[] = [];
  let stop = false;
  const client = async () => {
    while (!stop) statuses.push((await ask(gateway.port, '/api/v1/products/1')).status);
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

/** A name server that gives one address for the names it knows, and can be told to forget them. */
async function startNames(): Promise<{ port: number; known: Set<string> }> {
  const known = new Set<string>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const end = query.indexOf(0, 12);
    const question = query.subarray(12, end + 5);
    const name = question.toString('latin1', 1, 1 + (question[0] ?? 0));
    const isA = question.readUInt16BE(question.length - 4) === 1;
    const found = known.has(name);
    const answer = Buffer.from('c00c00010001000000010004' + '7f000001', 'hex');
    const answers = found && isA ? [answer] : [];
    const head = Buffer.from([...query.subarray(0, 2), 0x81, found ? 0x80 : 0x83, 0, 1, 0, answers.length, 0, 0, 0, 0]);
    socket.send(Buffer.concat([head, question, ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  toStop.push(() => new Promise((resolve) => socket.close(resolve)));
  return { port: socket.address().port, known };
}

test('as in containers: names are looked up while it runs', async () => {
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
    NGINX_ACCESS_LOG: join(runDir, 'access.log'),
    NGINX_HTTPS_ONLY: '',
    APP_ENV: 'production',
    CORS_ORIGINS: 'https://shop.example',
  };
  const config = await fillTemplates(runDir, ['templates/default.conf.template'], environment);
  const gateway = await startNginx(config, runDir, port);
  toStop.push(gateway.stop);

  const unknown = await ask(port, '/api/v1/products');
  expect([unknown.status, unknown.json.code]).toEqual([503, 'upstream_unavailable']);
  const listed = await ask(port, '/nothing', { headers: { origin: 'https://shop.example' } });
  expect(listed.headers['access-control-allow-origin']).toBe('https://shop.example');
  names.known.add('product');
  const answer = await until('the name is known', async () => {
    const { status, json } = await ask(port, '/api/v1/products/%2e%2e/1?q=%20');
    return status === 200 ? json : undefined;
  });
  expect([answer.url, answer.peer]).toEqual(['/api/v1/products/%2e%2e/1?q=%20', '127.0.0.1']);
  expect((await ask(port, '/openapi.json')).status).toBe(200);
});
