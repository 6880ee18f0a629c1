import { aCategory, aProduct, aStore, aUser, startApp, type TestApp, write } from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/catalog/products';
let app: TestApp;
let store: { id: number };

beforeAll(async () => {
  app = await startApp(productService);
});
beforeEach(async () => {
  store = await aStore();
});
afterAll(() => app.close());

interface Page {
  data: { id: number; name: string }[];
  pagination: { next_cursor: string | null };
}

const get = (query: object) => app.http.get(PATH).query({ store_id: store.id, ...query });
const page = async (query: object): Promise<Page> => (await get(query).expect(200)).body;
const names = async (query: object) => (await page({ limit: 100, ...query })).data.map(({ name }) => name);

/** Follows the cursor to the end. `between` runs after each page. */
async function walk(
  query: object,
  between: (last: number) => Promise<unknown> = async () => undefined,
): Promise<number[]> {
  const seen: number[] = [];
  let current = await page(query);
  for (;;) {
    seen.push(...current.data.map(({ id }) => id));
    const { next_cursor: cursor } = current.pagination;
    await between(seen.at(-1) ?? 0);
    if (cursor === null) return seen;
    current = await page({ ...query, cursor });
  }
}

describe('sort', () => {
  test('by price, name and time, in both directions', async () => {
    await aProduct({ store, name: 'banana', price: '10.00' });
    await aProduct({ store, name: 'Apple', price: '9.99' });
    await aProduct({ store, name: 'Éclair', price: '100.00' });
    await aProduct({ store, name: 'cherry', price: '10.00' });
    const expected = {
      created_at: ['banana', 'Apple', 'Éclair', 'cherry'],
      price: ['Apple', 'banana', 'cherry', 'Éclair'],
      name: ['Apple', 'banana', 'cherry', 'Éclair'],
    };
    for (const [by, ascending] of Object.entries(expected)) {
      expect(await names({ sort: by })).toEqual(ascending);
      expect(await names({ sort: `-${by}` })).toEqual([...ascending].reverse());
    }
    expect(await names({ sort: '' })).toEqual(expected.created_at.reverse());
  });

  test.each(['stock', '-relevance', '--price', 'Price', 'price,name', 'price ', '+price', 'id'])(
    'responds 400 to sort=%s',
    async (sort) => {
      const { body } = await get({ sort }).expect(400);
      expect(body.errors).toEqual([expect.objectContaining({ in: 'query', path: 'sort', code: 'invalid_value' })]);
    },
  );

  test("is unknown, and so ignored, in the list of a seller's products", async () => {
    const seller = await aUser();
    const own = await aStore({ owner: seller });
    await aProduct({ store: own, name: 'a', price: '1.00' });
    await aProduct({ store: own, name: 'b', price: '2.00', stock: 0 });
    const query = { sort: 'nonsense', in_stock: 'nonsense', ids: 'nonsense' };
    const { body } = await app.http.get('/api/v1/products').query(query).set(seller.auth).expect(200);
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['b', 'a']);
  });
});

/** Equal and nearly equal values, in an order that is none of the tested ones. */
const VALUES: [name: string, price: string][] = [
  ['tea', '0.10'],
  ['Tea', '0.00'],
  ['TÉA', '9999999999.99'],
  ['te\u0301a', '0.10'],
  ['tea ', '0.11'],
  ['straße', '9999999999.98'],
  ['STRASSE', '0.10'],
  ['🍵', '0.30'],
  ['🫖', '0.30'],
  ["' OR 1=1 --", '0.10'],
  ['100', '100.00'],
  ['99', '99.99'],
  ['a'.repeat(255), '12345678.90'],
  [`${'a'.repeat(254)}b`, '12345678.90'],
  ['\u0000\u0001x'.slice(1), '1.00'],
  ['茶', '1.00'],
];

test.each(['price', '-price', 'name', '-name', 'created_at', '-created_at'])(
  'sort=%s: the cursor shows each product once, in the order of one long page',
  async (sort) => {
    const category = await aCategory();
    for (const [name, price] of VALUES) await aProduct({ store, name, price, category });
    for (const filter of [{}, { category_id: category.id }, { in_stock: 'true', max_price: '9999999999.98' }]) {
      const all = (await page({ ...filter, sort, limit: 100 })).data.map(({ id }) => id);
      expect(all).toHaveLength('max_price' in filter ? VALUES.length - 1 : VALUES.length);
      for (const limit of [1, 3]) expect(await walk({ ...filter, sort, limit })).toEqual(all);
    }
  },
);

test.each(['price', '-price', 'name', '-name'])(
  'sort=%s: the cursor continues where it was while products are added, deleted and changed',
  async (sort) => {
    for (const [name, price] of VALUES) await aProduct({ store, name, price });
    const all = (await page({ sort, limit: 100 })).data.map(({ id }) => id);
    const [added, moved] = [new Set<number>(), new Set<number>()];
    const seen = await walk({ sort, limit: 2 }, async (last) => {
      for (const [name, price] of [VALUES[0], VALUES[4], VALUES[12]] as typeof VALUES) {
        if (added.size < 30) added.add((await aProduct({ store, name, price })).id);
      }
      // The product that the cursor names moves elsewhere or disappears.
      if (last % 2) await write('DELETE FROM products WHERE id = ?', [last]);
      else {
        moved.add(last);
        await write("UPDATE products SET name = 'zzzz', price = 5 WHERE id = ?", [last]);
      }
    });
    const once = seen.filter((id, index) => seen.indexOf(id) === index);
    expect(once.filter((id) => !added.has(id))).toEqual(all);
    expect(once.length).toBeGreaterThan(all.length);
    // Only a product that was seen and then moved to a later place appears again.
    expect(seen.filter((id, index) => seen.indexOf(id) !== index && !moved.has(id))).toEqual([]);
  },
);

test('in_stock shows what can be ordered, or what is sold out', async () => {
  await aProduct({ store, name: 'sold out', stock: 0 });
  await aProduct({ store, name: 'one left', stock: 1 });
  expect(await names({ in_stock: 'true' })).toEqual(['one left']);
  expect(await names({ in_stock: 'false' })).toEqual(['sold out']);
  expect(await names({ in_stock: '' })).toHaveLength(2);
  for (const in_stock of ['1', 'yes', 'TRUE', 'null']) {
    const { body } = await get({ in_stock }).expect(400);
    expect(body.errors).toMatchObject([{ in: 'query', path: 'in_stock', code: 'invalid_value' }]);
  }
});

describe('ids', () => {
  test('shows these products, newest first, and leaves out those that do not exist', async () => {
    const [one, two, three] = [await aProduct({ store }), await aProduct({ store }), await aProduct()];
    const list = async (query: object) =>
      (await app.http.get(PATH).query(query).expect(200)).body.data.map(({ id }: { id: number }) => id);
    expect(await list({ ids: `${two.id},${three.id},${one.id},999999999,${one.id}` })).toEqual([
      three.id,
      two.id,
      one.id,
    ]);
    expect(await list({ ids: String(two.id) })).toEqual([two.id]);
    expect(await list({ ids: `${one.id},${three.id}`, store_id: store.id, sort: 'price' })).toEqual([one.id]);
    expect(await list({ ids: '999999999' })).toEqual([]);
    const hundred = Array.from({ length: 99 }, (_, index) => 900_000_000 + index);
    expect(await list({ ids: [...hundred, one.id].join() })).toEqual([one.id]);
  });

  test.each([
    ['x', 'invalid_format'],
    ['1,', 'invalid_format'],
    ['1,,2', 'invalid_format'],
    ['1, 2', 'invalid_format'],
    ['1;2', 'invalid_format'],
    ['1,-1', 'invalid_format'],
    ['0', 'invalid_format'],
    ['9007199254740992', 'invalid_format'],
    [Array(101).fill(1).join(), 'too_big'],
    [['1', '2'], 'invalid_type'],
  ])('responds 400 to ids=%s', async (ids, code) => {
    const { body } = await get({ ids }).expect(400);
    expect(body.errors).toMatchObject([{ in: 'query', path: 'ids', code }]);
  });
});

describe('the Link header', () => {
  const targets = (header: string): Record<string, URL> =>
    Object.fromEntries(
      [...header.matchAll(/<([^>]*)>; rel="(\w+)"/g)].map(([, target, relation]) => [
        relation,
        new URL(target ?? '', app.url),
      ]),
    );

  test('has the known parameters of the request, also if the response was cached', async () => {
    for (let count = 0; count < 5; count += 1) await aProduct({ store, name: 'Tea & <Co>, "50%" +1' });
    const query = {
      search: '<co>, "50%" +1',
      sort: '-name',
      in_stock: 'true',
      limit: '2',
      unknown: 'x',
      category_id: '',
    };
    const responses = [await get({ ...query, page: 2 }).expect(200), await get({ ...query, page: 2 }).expect(200)];
    for (const { headers, body } of responses) {
      expect(headers.link).toMatch(/^<\/api/);
      const links = targets(headers.link ?? '');
      expect(Object.keys(links)).toEqual(['next', 'prev', 'first']);
      const { unknown, category_id, ...known } = { store_id: String(store.id), ...query };
      const parameters = Object.values(links).map(({ searchParams }) => Object.fromEntries(searchParams));
      expect(parameters).toEqual([
        { ...known, cursor: body.pagination.next_cursor },
        { ...known, page: '1' },
        { ...known, page: '1' },
      ]);
    }
    expect(responses[1]?.headers.link).toBe(responses[0]?.headers.link);
    const last = await app.http.get(targets(responses[0]?.headers.link ?? '').next?.href.replace(app.url, '') ?? '');
    expect([last.status, last.body.data.length, last.body.pagination]).toEqual([
      200,
      1,
      { limit: 2, next_cursor: null },
    ]);
    expect(Object.keys(targets(last.headers.link ?? ''))).toEqual(['first']);
  });

  test('is never so long that a proxy or client refuses the response', async () => {
    const name = '🍵'.repeat(255);
    for (let count = 0; count < 3; count += 1) await aProduct({ store, name });
    const ids = Array.from({ length: 99 }, (_, index) => Number.MAX_SAFE_INTEGER - index);
    const all = (await page({})).data.map(({ id }) => id);
    const query = { search: name, sort: 'name', ids: [...all, ...ids.slice(3)].join(), limit: 1 };
    const { headers } = await get({ ...query, page: 2 }).expect(200);
    expect(headers.link?.length).toBeLessThanOrEqual(12_000);
    const links = targets(headers.link ?? '');
    expect(Object.keys(links)).toEqual(['next', 'prev']);
    // Nginx accepts request lines of up to 9 KB.
    expect(links.next?.href.length).toBeLessThan(9000);
    const next = await app.http.get(links.next?.href.replace(app.url, '') ?? '').expect(200);
    expect(next.body.data).toHaveLength(1);
  });
});

test('a cursor is bound to sort and filters, and computed ones get no further than others', async () => {
  for (let count = 0; count < 3; count += 1) await aProduct({ store });
  const { next_cursor: cursor } = (await page({ limit: 1, sort: 'price' })).pagination;
  await get({ cursor, sort: 'price', limit: 2, unknown: 'x' }).expect(200);
  const others = [
    {},
    { sort: '-price' },
    { sort: 'name' },
    { sort: 'price', in_stock: 'true' },
    { sort: 'price', ids: '1' },
  ];
  for (const query of others) {
    const { body } = await get({ cursor, ...query }).expect(400);
    expect(body.errors).toMatchObject([{ in: 'query', path: 'cursor', code: 'invalid_value' }]);
  }
  for (const malformed of ['*', 'a b', 'a'.repeat(1501), 'ä']) {
    const { body } = await get({ cursor: malformed, page: 1, limit: 0 }).expect(400);
    expect(body.errors.map(({ path }: { path: string }) => path).sort()).toEqual(['cursor', 'limit']);
  }
});
