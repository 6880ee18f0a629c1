import { randomUUID } from 'node:crypto';
import { serviceNames } from '@shop/test-servers';
import { eventually } from './support/eventually';
import { aPng } from './support/files';
import {
  BURST,
  everywhere,
  newClient,
  other,
  ownList,
  type Pairs,
  type Person,
  startPairs,
  type Where,
} from './support/pairs';

/**
 * Two replicas of every service behind the real Nginx share all state. Each test calls both on their own ports and through
 * Nginx.
 */

const API = '/api/v1';
let shop: Pairs;
beforeAll(async () => {
  shop = await startPairs();
});
afterAll(() => shop?.stop());

describe('the rate limit', () => {
  test.each(serviceNames)(
    'of %s is shared per client over both replicas, directly and through Nginx',
    async (service) => {
      const from = newClient();
      const began = performance.now();
      const statuses: number[] = [];
      // As many as both replicas would allow if each counted separately.
      for (let turn = 0; turn < 2 * BURST; turn += 1) {
        statuses.push((await shop.call(service, turn % 2 === 0 ? 0 : 1, 'GET /nothing-here', { from })).status);
      }
      const refilled = Math.ceil((performance.now() - began) / 1000) + 1;
      const allowed = statuses.filter((status) => status !== 429).length;
      expect(allowed).toBeGreaterThanOrEqual(BURST);
      expect(allowed).toBeLessThanOrEqual(BURST + refilled);

      // Nginx has not seen this client yet and lets it pass; the service has, and counts it by the client's own IP address.
      const through = await Promise.all(
        Array.from({ length: 6 }, () => shop.call(service, 'nginx', `GET ${ownList[service]}`, { from })),
      );
      const refused = through.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(2);
      for (const { headers } of refused) expect(headers['ratelimit-policy']).not.toContain('gateway');
      expect((await shop.call(service, 'nginx', `GET ${ownList[service]}`)).status).toBe(401);
    },
  );
});

describe('the cache', () => {
  const shown = async (where: Where, seller: Person, id: number) => {
    const { status, json } = await shop.call('product', where, `GET ${API}/products/${id}`, { token: seller.token });
    expect(status).toBe(200);
    return json;
  };

  test('is shared: a read on one replica is a cache hit on the other', async () => {
    const seller = await shop.register();
    // Retries with another product if a Redis command was too slow: then MySQL is read.
    await eventually('a miss and two hits', async () => {
      const id = await shop.aProduct(seller);
      const read = async (where: Where) =>
        (await shop.call('product', where, `GET ${API}/products/${id}`, { token: seller.token })).headers['x-cache'];
      return [await read(0), await read(1), await read('nginx')].join() === 'MISS,HIT,HIT';
    });
  });

  test('returns a change made on one replica in the next read on the other', async () => {
    const seller = await shop.register();
    const id = await shop.aProduct(seller);
    for (let round = 1; round <= 10; round += 1) {
      const writer: 0 | 1 = round % 2 === 0 ? 0 : 1;
      for (const where of everywhere) await shown(where, seller, id);
      const change = { token: seller.token, json: { price: round } };
      expect((await shop.call('product', writer, `PUT ${API}/products/${id}`, change)).status).toBe(204);
      for (const where of [other(writer), 'nginx', writer] as const) {
        expect((await shown(where, seller, id)).price).toBe(round);
      }
    }
  });

  test('returns the stock after a checkout on either replica of another service', async () => {
    const buyer = await shop.register();
    const id = await shop.aProduct(buyer, { stock: 10 });
    const address_id = await shop.anAddress(buyer);
    const order = { address_id, items: [{ product_id: id, quantity: 1 }] };
    for (const [sold, where] of [0, 1, 'nginx', 0, 1].entries()) {
      for (const reader of everywhere) expect((await shown(reader, buyer, id)).stock).toBe(10 - sold);
      const bought = await shop.call('transaction', where as Where, `POST ${API}/transactions`, {
        token: buyer.token,
        json: order,
      });
      expect(bought.status).toBe(201);
      for (const reader of everywhere) expect((await shown(reader, buyer, id)).stock).toBe(9 - sold);
    }
  });

  test('reflects a deleted store and category, whichever replica deleted them', async () => {
    const seller = await shop.register();
    const admin = await shop.logIn('nginx', 'admin@example.com', 'admin123');
    for (const replica of [0, 1] as const) {
      const category = await shop.call('auth', replica, `POST ${API}/categories`, {
        token: admin.token,
        json: { name: randomUUID() },
      });
      const store = await shop.call('store', replica, `POST ${API}/stores`, {
        token: seller.token,
        json: { name: 'Mugs' },
      });
      const id = await shop.aProduct(seller, { store_id: store.json.id, category_id: category.json.id });
      for (const where of everywhere) expect((await shown(where, seller, id)).category_id).toBe(category.json.id);
      const as = ({ token }: Person) => ({ token });
      await shop.call('auth', other(replica), `DELETE ${API}/categories/${category.json.id}`, as(admin));
      for (const where of everywhere) expect((await shown(where, seller, id)).category_id).toBeNull();
      await shop.call('store', other(replica), `DELETE ${API}/stores/${store.json.id}`, as(seller));
      for (const where of everywhere) {
        const gone = await shop.call('product', where, `GET ${API}/products/${id}`, as(seller));
        expect([where, gone.status]).toEqual([where, 404]);
      }
    }
  });
});

describe('a session', () => {
  test('started on one replica is valid at every service and can be refreshed on the other replica', async () => {
    for (const replica of [0, 1] as const) {
      const { email } = await shop.register(replica);
      const session = await shop.logIn(other(replica), email);
      for (const service of serviceNames) {
        for (const where of everywhere) {
          const { status } = await shop.call(service, where, `GET ${ownList[service]}`, { token: session.token });
          expect([service, where, status]).toEqual([service, where, 200]);
        }
      }
      const next = await shop.refresh(replica, session.refreshToken);
      const last = await shop.refresh(other(replica), String(next.json.refresh_token));
      expect([next.status, last.status]).toEqual([200, 200]);
      expect((await shop.refresh('nginx', String(last.json.refresh_token))).status).toBe(200);
    }
  });

  test('ends everywhere after a logout on one replica', async () => {
    for (const replica of [0, 1] as const) {
      const { refreshToken } = await shop.register(other(replica));
      const out = await shop.call('auth', replica, `POST ${API}/auth/logout`, {
        json: { refresh_token: refreshToken },
      });
      expect(out.status).toBe(204);
      for (const where of everywhere) expect((await shop.refresh(where, refreshToken)).status).toBe(401);
    }
  });

  test('whose spent token is used after its successor, on the other replica, is revoked on both', async () => {
    for (const replica of [0, 1] as const) {
      const { refreshToken } = await shop.register(replica);
      const next = await shop.refresh(replica, refreshToken);
      const last = await shop.refresh(replica, String(next.json.refresh_token));
      expect([next.status, last.status]).toEqual([200, 200]);
      expect((await shop.refresh(other(replica), refreshToken)).status).toBe(401);
      for (const where of everywhere) {
        expect((await shop.refresh(where, String(last.json.refresh_token))).status).toBe(401);
      }
    }
  });

  test('survives many concurrent refreshes with one token on both replicas and through Nginx', async () => {
    const { refreshToken } = await shop.register();
    const responses = await Promise.all(
      Array.from({ length: 12 }, (_, turn) => shop.refresh(everywhere[turn % 3] ?? 0, refreshToken)),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array(12).fill(200));
    for (const { json } of responses) {
      expect((await shop.refresh('nginx', String(json.refresh_token))).status).toBe(200);
    }
  });
});

test('an upload on one replica is served by the other and by Nginx, and by none after it is deleted', async () => {
  const { token } = await shop.register();
  for (const replica of [0, 1] as const) {
    const image = aPng(1000 + replica);
    const form = new FormData();
    form.set('file', new Blob([image], { type: 'image/png' }), 'mug.png');
    const stored = await shop.call('file', replica, `POST ${API}/files/upload`, { token, form });
    expect(stored.status).toBe(201);
    const url = String(stored.json.url);
    for (const where of [other(replica), 'nginx', replica] as const) {
      const served = await shop.call('file', where, `GET ${url}`);
      expect([where, served.status, served.headers['content-length']]).toEqual([where, 200, String(image.length)]);
      const listed = await shop.call('file', where, `GET ${API}/files`, { token });
      expect(JSON.stringify(listed.json.data)).toContain(url);
    }
    const name = url.split('/').at(-1);
    await shop.call('file', other(replica), `DELETE ${API}/files/${name}`, { token });
    for (const where of everywhere)
      expect([where, (await shop.call('file', where, `GET ${url}`)).status]).toEqual([where, 404]);
  }
});

test('a product image stored by one product replica is served by each file replica', async () => {
  const { token } = await shop.register();
  for (const replica of [0, 1] as const) {
    const form = new FormData();
    form.set('name', 'Mug');
    form.set('price', '2.5');
    form.set('image', new Blob([aPng()], { type: 'image/png' }), 'mug.png');
    const { json } = await shop.call('product', replica, `POST ${API}/products`, { token, form });
    for (const where of everywhere) expect((await shop.call('file', where, `GET ${json.image_url}`)).status).toBe(200);
  }
});

test('a checkout with one key sent to both replicas and to Nginx places one order', async () => {
  const buyer = await shop.register();
  const id = await shop.aProduct(buyer);
  const address_id = await shop.anAddress(buyer);
  const order = {
    token: buyer.token,
    key: randomUUID(),
    json: { address_id, items: [{ product_id: id, quantity: 1 }] },
  };
  const responses = await Promise.all(
    Array.from({ length: 9 }, (_, turn) =>
      shop.call('transaction', everywhere[turn % 3] ?? 0, `POST ${API}/transactions`, order),
    ),
  );
  expect(responses.map(({ status }) => status)).toEqual(Array(9).fill(201));
  expect(new Set(responses.map(({ json }) => json.id)).size).toBe(1);
  const list = await shop.call('transaction', 0, `GET ${API}/transactions`, { token: buyer.token });
  expect(list.json.pagination).toMatchObject({ total: 1 });
});

test('Nginx sends requests to both replicas of each service', async () => {
  for (const service of serviceNames) {
    const countServed = async (replica: 0 | 1) => {
      const { text } = await shop.call(service, replica, 'GET /metrics');
      const lines = text.split('\n').filter((line) => /^http_requests_total{.*status="401"/.test(line));
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const before = [await countServed(0), await countServed(1)];
    for (let turn = 0; turn < 8; turn += 1) await shop.call(service, 'nginx', `GET ${ownList[service]}`);
    const gained = [await countServed(0), await countServed(1)].map((count, one) => count - (before[one] ?? 0));
    expect([service, gained.reduce((sum, count) => sum + count)]).toEqual([service, 8]);
    expect([service, Math.min(...gained) > 0]).toEqual([service, true]);
  }
});
