import { aCategory, aProduct, aStore, aUser, eventually, startApp, type TestApp, type TestUser } from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/catalog/products';
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let store: { id: number; name: string };

beforeAll(async () => {
  [here, there] = await Promise.all([startApp(productService), startApp(productService)]);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller, name: 'Tea & Co' });
});
afterAll(() => Promise.all([here.close(), there.close()]));

const browse = (query: object, app = here) => app.http.get(PATH).query(query);

async function names(query: object): Promise<string[]> {
  const { body } = await browse({ store_id: store.id, ...query }).expect(200);
  expect(body.pagination.total).toBe(body.data.length);
  return body.data.map(({ name }: { name: string }) => name);
}

describe('without a token', () => {
  test("lists all stores' products, each with its store", async () => {
    const [mine, other] = [await aProduct({ store, name: 'Mug', price: '12.50', stock: 3 }), await aProduct()];
    const { body } = await browse({ limit: 100 }).expect(200);
    expect(body.data.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([mine.id, other.id]));
    const shown = await here.http.get(`${PATH}/${mine.id}`).expect(200);
    expect(shown.body).toEqual({
      id: mine.id,
      store_id: store.id,
      category_id: null,
      name: 'Mug',
      description: '',
      price: 12.5,
      stock: 3,
      image_url: null,
      created_at: expect.any(String),
      store: { id: store.id, name: 'Tea & Co' },
    });
    expect(body.data).toContainEqual(shown.body);
  });

  test('filters by words, category, price and store, and pages', async () => {
    const category = await aCategory();
    await aProduct({ store, name: 'Green tea', price: '3.00', category });
    await aProduct({ store, name: 'Pot', description: 'for tea', price: '30.00' });
    await aProduct({ store, name: 'Mug', price: '10.00', category });
    await aProduct({ name: 'tea of another store' });
    expect(await names({})).toEqual(['Mug', 'Pot', 'Green tea']);
    expect(await names({ search: 'TEA' })).toEqual(['Pot', 'Green tea']);
    expect(await names({ search: 'téa' })).toEqual([]);
    expect(await names({ category_id: category.id })).toEqual(['Mug', 'Green tea']);
    expect(await names({ min_price: '3.01', max_price: 10 })).toEqual(['Mug']);
    const second = await browse({ store_id: store.id, page: 2, limit: 2 }).expect(200);
    expect(second.body.pagination).toEqual({ page: 2, limit: 2, total: 3, next_cursor: null });
  });

  test.each(['page=0', 'limit=101', 'min_price=2&max_price=1', 'store_id=x', 'category_id=-1'])(
    'responds 400 to ?%s',
    async (query) => {
      expect((await here.http.get(`${PATH}?${query}`).expect(400)).body.code).toBe('invalid_request');
    },
  );

  test('responds 404 to an unknown product, 400 to an invalid id, 405 to a POST', async () => {
    await here.http.get(`${PATH}/999999999`).expect(404);
    await here.http.get(`${PATH}/x`).expect(400);
    await here.http.post(PATH).send({}).expect(405);
  });
});

test('every replica serves cached responses', async () => {
  for (const list of [false, true]) {
    // Retries with another product if a Redis command was too slow: then MySQL is read.
    await eventually('a miss and a hit', async () => {
      const another = await aStore();
      const { id } = await aProduct({ store: another });
      const path = list ? `${PATH}?store_id=${another.id}` : `${PATH}/${id}`;
      const [first, again] = [await here.http.get(path).expect(200), await there.http.get(path).expect(200)];
      expect(again.text).toBe(first.text);
      return first.headers['x-cache'] === 'MISS' && again.headers['x-cache'] === 'HIT';
    });
  }
});
