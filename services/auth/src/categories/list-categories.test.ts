import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { aCategory, rows, startApp, type TestApp } from '@shop/testing';

const PATH = '/api/v1/categories';
let app: TestApp;

beforeAll(async () => {
  app = await startApp(authService);
});
afterAll(() => app.close());

const list = async (query: Record<string, string | number>) =>
  (await app.http.get(PATH).query(query).expect(200)).body as {
    data: { id: number; name: string; created_at: string }[];
    pagination: { page: number; limit: number; total: number };
  };
const idsOf = async (query: Record<string, string | number>) => (await list(query)).data.map(({ id }) => id);
/** Creates `count` categories with a common mark in their names. */
async function marked(count: number): Promise<{ mark: string; ids: number[] }> {
  const mark = randomUUID();
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) ids.push((await aCategory(`${mark} ${index}`)).id);
  return { mark, ids };
}

test('lists the newest first, and by id if they have the same time', async () => {
  const { mark, ids } = await marked(4);
  const [first, second, third, fourth] = ids;
  await rows("UPDATE categories SET created_at = '2026-01-01' WHERE id IN (?, ?)", [second ?? 0, third ?? 0]);
  await rows("UPDATE categories SET created_at = '2026-01-02' WHERE id = ?", [first ?? 0]);
  await rows("UPDATE categories SET created_at = '2025-12-31' WHERE id = ?", [fourth ?? 0]);
  expect(await idsOf({ search: mark })).toEqual([first, third, second, fourth]);
});

test('pages through all of them, each once, with the exact total, also past the end', async () => {
  const { mark, ids } = await marked(7);
  const seen: number[] = [];
  for (const page of [1, 2, 3]) {
    const { data, pagination } = await list({ search: mark, page, limit: 3 });
    expect(pagination).toMatchObject({ page, limit: 3, total: 7 });
    seen.push(...data.map(({ id }) => id));
  }
  expect(seen).toEqual([...ids].reverse());
  expect(await list({ search: mark, page: 9, limit: 3 })).toEqual({
    data: [],
    pagination: { page: 9, limit: 3, total: 7, next_cursor: null },
  });
});

test('returns ten per page by default and a hundred at most', async () => {
  const { mark } = await marked(11);
  expect((await list({ search: mark })).pagination).toMatchObject({ page: 1, limit: 10, total: 11 });
  expect(await idsOf({ search: mark })).toHaveLength(10);
  expect(await idsOf({ search: mark, limit: 100 })).toHaveLength(11);
});

test('returns exactly the documented fields', async () => {
  const { mark, ids } = await marked(1);
  expect((await list({ search: mark })).data).toEqual([
    { id: ids[0], name: `${mark} 0`, created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
  ]);
});

test.each(['100%', 'a_b', 'back\\slash', "quo'te", '🍵 tea', 'Äpfel'])(
  'matches %s literally, anywhere in the name and in any case',
  async (part) => {
    const mark = randomUUID();
    const { id } = await aCategory(`${mark} x${part}y`);
    await aCategory(`${mark} something else`);
    for (const search of [part, part.toUpperCase(), part.toLowerCase()]) {
      expect(await idsOf({ search: `${mark} X${search}`, limit: 100 })).toEqual([id]);
    }
  },
);

test.each(['creme', 'STRASE', '😂'])('does not match %s with letters that only look alike', async (search) => {
  const mark = randomUUID();
  await aCategory(`${mark} Crème`);
  await aCategory(`${mark} Straße`);
  await aCategory(`${mark} 😀`);
  expect(await idsOf({ search: `${mark} ${search}` })).toEqual([]);
});

test.each(['%', '_', `${'_'.repeat(10)}`, '\\', '%%'])('does not treat %s as a wildcard', async (wildcard) => {
  const { mark } = await marked(2);
  expect(await idsOf({ search: `${mark}${wildcard}` })).toEqual([]);
});

test('ignores an empty search, trims the search, and ignores unknown parameters', async () => {
  const { mark, ids } = await marked(1);
  expect((await list({ search: '' })).data[0]?.id).toBeGreaterThanOrEqual(ids[0] ?? 0);
  expect(await idsOf({ search: `  ${mark} `, sort: 'name', utm: 'x' })).toEqual(ids);
});

test.each([
  'page=0',
  'page=-1',
  'page=1.5',
  'page=x',
  'limit=0',
  'limit=101',
  'limit=1e1',
  'page=1&page=2',
  'search=a&search=b',
  'search=%00',
  `search=${'x'.repeat(256)}`,
])('responds 400 to ?%s and names the parameter', async (query) => {
  const { body } = await app.http.get(`${PATH}?${query}`).expect(400);
  expect(body.errors).toEqual([expect.objectContaining({ in: 'query', path: query.split('=')[0] })]);
});

test('responds to HEAD like GET, without the body', async () => {
  const { mark } = await marked(1);
  const [head, get] = [
    await app.http.head(`${PATH}?search=${mark}`).expect(200),
    await app.http.get(`${PATH}?search=${mark}`).expect(200),
  ];
  expect(head.text ?? '').toBe('');
  expect(head.headers['content-length']).toBe(get.headers['content-length']);
});
