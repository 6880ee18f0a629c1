import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { accessTokenIssuer, secretKey } from '@shop/core/auth';
import { type ServiceName, serviceNames } from '@shop/test-servers';
import { eventually } from './support/eventually';
import { JWT_SECRET } from './support/test-app';
import { call, type HttpResponse, startTestFleet, type TestFleet } from './support/test-fleet';

const admin = accessTokenIssuer(secretKey(JWT_SECRET)).issue({ id: 1, role: 'admin' }).token;
const API = '/api/v1';

let shop: TestFleet;
let addressId: number;
let productId: number;

beforeAll(async () => {
  shop = await startTestFleet({ env: { SHUTDOWN_DELAY_SECONDS: '3' } });
  const { url } = shop.fleet;
  const address = await call('POST', `${url}${API}/addresses`, { token: admin, json: { address: 'Main Street 1' } });
  addressId = Number(address.body.id);
  const product = await call('POST', `${url}${API}/products`, {
    token: admin,
    json: { name: 'Mug', price: 2.5, stock: 1e6 },
  });
  productId = Number(product.body.id);
});
afterAll(() => shop.stop());

const url = (service: ServiceName, path: string) => shop.fleet.instance(service).url + path;

/** A read and a write of each service that has both: [name, expected status, call]. */
const requests = (): [string, number, () => Promise<HttpResponse>][] => [
  ['me', 200, () => call('GET', url('auth', `${API}/auth/me`), { token: admin })],
  [
    'a login',
    401,
    () =>
      call('POST', url('auth', `${API}/auth/login`), { json: { email: `${randomUUID()}@example.com`, password: 'x' } }),
  ],
  ['categories', 200, () => call('GET', url('auth', `${API}/categories`))],
  ['products', 200, () => call('GET', url('product', `${API}/products`), { token: admin })],
  ['a product', 200, () => call('GET', url('product', `${API}/products/${productId}`), { token: admin })],
  [
    'a price',
    204,
    () => call('PUT', url('product', `${API}/products/${productId}`), { token: admin, json: { price: 3 } }),
  ],
  ['transactions', 200, () => call('GET', url('transaction', `${API}/transactions`), { token: admin })],
  [
    'a purchase',
    201,
    () =>
      call('POST', url('transaction', `${API}/transactions`), {
        token: admin,
        json: { address_id: addressId, items: [{ product_id: productId, quantity: 1 }] },
      }),
  ],
  ['addresses', 200, () => call('GET', url('address', `${API}/addresses`), { token: admin })],
  ['stores', 200, () => call('GET', url('store', `${API}/stores`), { token: admin })],
  ['a store', 204, () => call('PUT', url('store', `${API}/stores/1`), { token: admin, json: { name: 'Renamed' } })],
  ['files', 200, () => call('GET', url('file', `${API}/files`), { token: admin })],
];

const allReady = () =>
  eventually('every /ready', async () => {
    const responses = await Promise.all(
      serviceNames.map((name) => call('GET', url(name, '/ready')).catch(() => undefined)),
    );
    return responses.every((response) => response?.status === 200);
  });

const redisIs = (status: string) =>
  eventually(`Redis to be ${status}`, async () => {
    const responses = await Promise.all(serviceNames.map((name) => call('GET', url(name, '/health'))));
    return responses.every(({ body }) => (body.redis as { status: string }).status === status);
  });

/** The fastest of a few attempts: the cost of the request without the machine's noise. */
async function timed(request: () => Promise<HttpResponse>): Promise<HttpResponse> {
  const responses: HttpResponse[] = [];
  for (let round = 0; round < 3; round += 1) responses.push(await request());
  return responses.reduce((best, response) => (response.ms < best.ms ? response : best));
}

/** Repeats all requests until stopped. `stop` resolves to the failures. */
function underLoad(): { stop: () => Promise<string[]> } {
  const failures: string[] = [];
  let running = true;
  const worker = async ([what, expected, request]: [string, number, () => Promise<HttpResponse>]) => {
    while (running) {
      const response = await request().catch((error: Error) => error);
      if (response instanceof Error) failures.push(`${what}: ${response.message}`);
      else if (response.status !== expected)
        failures.push(`${what}: ${response.status} ${JSON.stringify(response.body)}`);
    }
  };
  const workers = requests().map(worker);
  return {
    async stop() {
      running = false;
      await Promise.all(workers);
      return failures;
    },
  };
}

describe('Redis', () => {
  afterEach(async () => {
    shop.redis.resume();
    await shop.redis.start();
    await redisIs('up');
  });

  test.each([
    ['stopped', () => shop.redis.kill()],
    ['frozen', async () => shop.redis.pause()],
  ])('%s: every endpoint responds as before, with little delay', async (_, fault) => {
    const before = new Map<string, number>();
    for (const [what, , request] of requests()) before.set(what, (await timed(request)).ms);
    // A command times out after at most 100 ms. A request that waited for Redis would wait as long as the fault lasts.
    const margin = 1000 + 5 * Math.max(...before.values());
    await fault();
    for (const [what, expected, request] of requests()) {
      const response = await timed(request);
      expect([what, response.status]).toEqual([what, expected]);
      expect([what, response.ms - (before.get(what) ?? 0) < margin]).toEqual([what, true]);
    }
  });

  test('killed and restored under load: no request fails, and the cache is used again', async () => {
    const load = underLoad();
    for (let round = 0; round < 3; round += 1) {
      await shop.redis.kill();
      await redisIs('down');
      await shop.redis.start();
      await redisIs('up');
    }
    expect(await load.stop()).toEqual([]);
    const products = () => call('GET', url('product', `${API}/products`), { token: admin });
    await eventually('a hit', async () => (await products()).headers.get('x-cache') === 'HIT');
  });

  test('responses cached before an outage are not served after a write during the outage', async () => {
    const product = () => call('GET', url('product', `${API}/products/${productId}`), { token: admin });
    for (let round = 1; round <= 5; round += 1) {
      await eventually('a hit', async () => (await product()).headers.get('x-cache') === 'HIT');
      await shop.redis.kill();
      await call('PUT', url('product', `${API}/products/${productId}`), { token: admin, json: { price: 100 + round } });
      await shop.redis.start();
      expect((await product()).body.price).toBe(100 + round);
      await redisIs('up');
      expect((await product()).body.price).toBe(100 + round);
    }
  });

  test('unavailable when a service starts: the service is ready and uses Redis as soon as it is back', async () => {
    await shop.redis.stop();
    const store = shop.fleet.instance('store');
    await store.stop();
    await store.start();
    expect((await call('GET', url('store', `${API}/stores`), { token: admin })).status).toBe(200);
    await shop.redis.start();
    await redisIs('up');
  });
});

/** Resolves once each of its threads stands still: the signal reaches those that run a little later. */
async function freezeMysql(): Promise<void> {
  shop.mysql.pause();
  const threads = `/proc/${shop.mysql.pid}/task`;
  const isStopped = (thread: string) => / T /.test(readFileSync(`${threads}/${thread}/stat`, 'utf8'));
  await eventually('MySQL to stand still', async () => readdirSync(threads).every(isStopped));
}

describe('MySQL', () => {
  afterEach(async () => {
    shop.mysql.resume();
    await shop.mysql.start();
    await allReady();
  });

  test.each([
    ['killed', () => shop.mysql.kill()],
    ['frozen', freezeMysql],
  ])(
    '%s: responds 503 with Retry-After within 3 s, healthy but not ready; recovers within 5 s after MySQL is back',
    async (_, fault) => {
      const uncached = requests().filter(([what]) => !['products', 'a product'].includes(what));
      const askAll = () => Promise.all(uncached.map(async ([what, , request]) => [what, await request()] as const));
      // Measures what this many concurrent requests cost on this machine, and adds it to every time limit.
      const busy = 10 * Math.max(...(await askAll()).map(([, { ms }]) => ms));
      await fault();
      const responses = await askAll();
      for (const [what, response] of responses) {
        expect([what, response.status, response.headers.get('retry-after')]).toEqual([what, 503, '1']);
        expect(response.headers.get('content-type')).toContain('application/problem+json');
        expect([what, response.ms < 3000 + busy]).toEqual([what, true]);
      }
      for (const name of serviceNames) {
        expect([name, (await call('GET', url(name, '/health'))).status]).toEqual([name, 200]);
        expect([name, (await call('GET', url(name, '/ready'))).status]).toEqual([name, 503]);
      }
      shop.mysql.resume();
      await shop.mysql.start();
      const returned = performance.now();
      await allReady();
      expect(performance.now() - returned).toBeLessThan(5000 + busy);
      for (const [what, expected, request] of requests())
        expect([what, (await request()).status]).toEqual([what, expected]);
    },
  );

  test('killed and restored under load: only 503 responses meanwhile, and acknowledged writes are kept', async () => {
    const acknowledged: number[] = [];
    const statuses = new Set<number>();
    let running = true;
    const buyers = Array.from({ length: 4 }, async () => {
      while (running) {
        const response = await call('POST', url('transaction', `${API}/transactions`), {
          token: admin,
          json: { address_id: addressId, items: [{ product_id: productId, quantity: 1 }] },
        });
        statuses.add(response.status);
        if (response.status === 201) acknowledged.push(Number(response.body.id));
      }
    });
    for (let round = 0; round < 2; round += 1) {
      const sold = acknowledged.length;
      await eventually('some purchases', () => acknowledged.length > sold + 10);
      await shop.mysql.kill();
      await shop.mysql.start();
      await allReady();
    }
    running = false;
    await Promise.all(buyers);
    expect([...statuses].sort()).toEqual([201, 503]);
    const read = await Promise.all(
      acknowledged.map((id) => call('GET', url('transaction', `${API}/transactions/${id}`), { token: admin })),
    );
    expect(read.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe('a service', () => {
  test('that gets SIGTERM is not ready immediately, finishes its requests and exits with 0', async () => {
    const file = shop.fleet.instance('file');
    const slow = call('POST', url('auth', `${API}/auth/login`), {
      json: { email: 'admin@example.com', password: 'admin123' },
    });
    const auth = shop.fleet.instance('auth');
    const stopped = Promise.all([auth.stop(), file.stop()]);
    await eventually(
      'the auth service to be unready',
      async () => (await call('GET', url('auth', '/ready')).catch(() => undefined))?.status === 503,
    );
    expect((await slow).status).toBe(200);
    for (const exit of await stopped) expect(exit).toMatchObject({ code: 0 });
    await Promise.all([auth.start(), file.start()]);
  });
});
