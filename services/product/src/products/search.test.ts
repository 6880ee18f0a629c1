import { aProduct, aStore, aUser, rows, startApp, type TestApp, type TestUser, write } from '@shop/testing';
import { productService } from '../service';

const PATH = '/api/v1/products';
const CATALOG = '/api/v1/catalog/products';
let app: TestApp;
let seller: TestUser;
let store: { id: number };

beforeAll(async () => {
  app = await startApp(productService);
});
beforeEach(async () => {
  seller = await aUser();
  store = await aStore({ owner: seller });
});
afterAll(() => app.close());

const list = async (query: object, path = PATH) =>
  (
    await app.http
      .get(path)
      .query({ store_id: store.id, ...query })
      .set(seller.auth)
      .expect(200)
  ).body;
const names = async (query: object, path = PATH): Promise<string[]> =>
  (await list(query, path)).data.map(({ name }: { name: string }) => name);

async function add(fields: object): Promise<number> {
  const { body } = await app.http
    .post(PATH)
    .set(seller.auth)
    .send({ store_id: store.id, price: 1, ...fields })
    .expect(201);
  return body.id;
}

const termsOf = (id: number) =>
  rows('SELECT field, term FROM product_terms WHERE product_id = ? ORDER BY field, term', [id]);

describe('the terms of a product', () => {
  test('follow its name and its description', async () => {
    const id = await add({ name: 'Ab b', description: 'Ab-c. AB stonewarelike' });
    const description = ['ab', 'c', 'stonewarel'].map((term) => ({ field: 'description', term }));
    expect(await termsOf(id)).toEqual([
      ...['ab b', 'b', 'b b'].map((term) => ({ field: 'name', term })),
      ...description,
    ]);
    const change = (fields: object) => app.http.put(`${PATH}/${id}`).set(seller.auth).send(fields).expect(204);
    await change({ price: 2 });
    await change({ name: 'X' });
    expect(await termsOf(id)).toEqual([{ field: 'name', term: 'x' }, ...description]);
    await change({ description: '🍵', stock: 3 });
    expect(await termsOf(id)).toEqual([{ field: 'name', term: 'x' }]);
    expect(await rows('SELECT without_terms FROM products WHERE id = ?', [id])).toEqual([{ without_terms: null }]);
    await app.http.delete(`${PATH}/${id}`).set(seller.auth).expect(204);
    expect(await termsOf(id)).toEqual([]);
  });

  test('are those of all texts at their greatest length', async () => {
    const name = Array.from({ length: 255 }, (_, index) => String.fromCodePoint(0x1f600 + (index % 64))).join('');
    const id = await add({ name, description: Array.from({ length: 1800 }, (_, index) => `w${index}`).join(' ') });
    expect(await termsOf(id)).toHaveLength(64 + 9 + 1800);
    expect(await names({ search: name })).toEqual([name]);
    expect(await names({ search: 'w1799' })).toEqual([name]);
  });

  test('are complete after neighbours were renamed and added at once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 6 }, (_, index) => add({ name: `old ${index}`, description: 'a' })),
    );
    const rename = (id: number, round: number) =>
      app.http
        .put(`${PATH}/${id}`)
        .set(seller.auth)
        .send({ name: `${round} n${id}`, description: `z${id}` })
        .expect(204);
    for (const round of [1, 2, 3])
      await Promise.all([...ids.map((id) => rename(id, round)), add({ name: `more ${round}`, description: 'x' })]);
    for (const id of ids) expect(await names({ search: `3 n${id}` })).toEqual([`3 n${id}`]);
    expect(await names({ search: 'old' })).toEqual([]);
    expect(await names({ search: 'more' })).toEqual(['more 3', 'more 2', 'more 1']);
  });
});

test.each([
  ['a character in the middle of a name', 'é', ['Cafétière']],
  ['a part longer than a term', 'afétièrE', ['Cafétière']],
  ['Chinese, one character', '茶', ['绿茶杯']],
  ['Chinese, two characters', '茶杯', ['绿茶杯']],
  ['an emoji', '🍵', ['A 🍵 pot']],
  ['symbols', '%% _', ['100%% _off_']],
  ['a part across words', 'a 🍵 p', ['A 🍵 pot']],
  ['more than ten characters across words', 'stoneware-like mu', ['Stoneware-like MUG']],
  ['a word that begins like another one', 'stonewarelike', []],
  ['a part of a word and a word', 'ware-like mug', ['Stoneware-like MUG']],
])('finds %s', async (_, search, expected) => {
  for (const name of ['Cafétière', '绿茶杯', 'A 🍵 pot', '100%% _off_', 'Stoneware-like MUG']) await add({ name });
  expect(await names({ search })).toEqual(expected);
});

describe('sort=relevance', () => {
  const expected = [
    ['Mug'],
    ['mug tree 2', 'Mug tree 1'],
    ['Blue mug', 'A mug for tea'],
    ['Smug bear'],
    ['Teapot, by description'],
  ].flat();

  beforeEach(async () => {
    await add({ name: 'Teapot, by description', description: 'fits the mug' });
    await add({ name: 'A mug for tea' });
    await add({ name: 'Mug tree 1' });
    await add({ name: 'Mug' });
    await add({ name: 'mug tree 2' });
    await add({ name: 'Smug bear' });
    await add({ name: 'Blue mug' });
    await add({ name: 'Cup' });
  });

  test('shows the best matches first', async () => {
    expect(await names({ search: 'MUG', sort: 'relevance' }, CATALOG)).toEqual(expected);
    expect(await names({ search: 'mug', sort: 'relevance', limit: 3, page: 2 }, CATALOG)).toEqual(expected.slice(3, 6));
    expect((await list({ search: 'mug', sort: 'relevance', limit: 1, page: 9 }, CATALOG)).pagination.total).toBe(7);
  });

  test('goes on with a cursor, also after the last product seen is gone', async () => {
    const seen: string[] = [];
    let query: object = { search: 'mug', sort: 'relevance', limit: 2 };
    for (;;) {
      const { data, pagination } = await list(query, CATALOG);
      seen.push(...data.map(({ name }: { name: string }) => name));
      if (pagination.next_cursor === null) break;
      await app.http
        .delete(`${PATH}/${data.at(-1).id}`)
        .set(seller.auth)
        .expect(204);
      query = { search: 'mug', sort: 'relevance', limit: 2, cursor: pagination.next_cursor };
    }
    expect(seen).toEqual(expected);
  });

  test('puts all words in the name before words in the description', async () => {
    await add({ name: 'Tea for two', description: 'with a bear' });
    await add({ name: 'Bear tea' });
    expect(await names({ search: 'tea bear', sort: 'relevance' }, CATALOG)).toEqual(['Bear tea', 'Tea for two']);
    expect(await names({ search: ', by', sort: 'relevance' }, CATALOG)).toEqual(['Teapot, by description']);
  });

  test('is newest first without a search', async () => {
    expect(await names({ sort: 'relevance' }, CATALOG)).toEqual(await names({}, CATALOG));
  });
});

test('finds what another program inserted or renamed, by name and by description', async () => {
  await write(
    `INSERT INTO products (store_id, name, name_folded, name_words, description, description_words, price)
     VALUES (?, 'Mug', 'mug', ' mug', 'red', ' red', 1)`,
    [store.id],
  );
  await add({ name: 'Smug', description: 'red' });
  for (const [search, found] of [
    ['mug', ['Smug', 'Mug']],
    ['ug', ['Smug', 'Mug']],
    ['red', ['Smug', 'Mug']],
    ['mug red', ['Mug']],
    ['cup', []],
  ] as const) {
    expect(await names({ search })).toEqual(found);
  }
  expect(await names({ search: 'mug', sort: 'relevance' }, CATALOG)).toEqual(['Mug', 'Smug']);
  // Then one of its fields gets terms.
  const [row] = await rows<{ id: number }>('SELECT id FROM products WHERE store_id = ? AND name = ?', [
    store.id,
    'Mug',
  ]);
  await app.http.put(`${PATH}/${row?.id}`).set(seller.auth).send({ name: 'Cup' }).expect(204);
  expect(await names({ search: 'cup' })).toEqual(['Cup']);
  expect(await names({ search: 'cup red' })).toEqual(['Cup']);
});

test('finds what the release before renamed, also if it had terms, and no longer by its old name', async () => {
  const id = await add({ name: 'Mug', description: 'red' });
  await write("UPDATE products SET name = 'Cup', name_folded = 'cup', name_words = ' cup' WHERE id = ?", [id]);
  expect(await names({ search: 'cup' })).toEqual(['Cup']);
  expect(await names({ search: 'red cup' })).toEqual(['Cup']);
  expect(await names({ search: 'mug red' })).toEqual([]);
});

test('shows nothing of other stores', async () => {
  await aProduct({ name: 'Mug' });
  expect(await names({ search: 'mug' })).toEqual([]);
});
