import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import { foldText } from '@shop/core/text';
import { aCategory, aUser, rows, startApp, type TestApp, type TestUser } from '@shop/testing';

const PATH = '/api/v1/categories';
const UNKNOWN = 999_999_999;
let app: TestApp;
let replica: TestApp;
let admin: TestUser;
let user: TestUser;

beforeAll(async () => {
  [app, replica] = await Promise.all([startApp(authService), startApp(authService)]);
});
beforeEach(async () => {
  [admin, user] = await Promise.all([aUser({ role: 'admin' }), aUser()]);
});
afterAll(() => Promise.all([app.close(), replica.close()]));

const add = (name: unknown, where = app) => where.http.post(PATH).set(admin.auth).send({ name });
const rename = (id: number | string, body: object, where = app) =>
  where.http.put(`${PATH}/${id}`).set(admin.auth).send(body);
const remove = (id: number | string, where = app) => where.http.delete(`${PATH}/${id}`).set(admin.auth);
const show = (id: number | string, where = app) => where.http.get(`${PATH}/${id}`);
const nameOf = async (id: number) =>
  (await rows<{ name: string }>('SELECT name FROM categories WHERE id = ?', [id]))[0]?.name;
/** A unique name. */
const aName = (): string => `Tea ${randomUUID()}`;
const NO_NAMES = [
  {},
  { name: '' },
  { name: ' \t ' },
  { name: 'x'.repeat(256) },
  { name: 'a\0' },
  { name: 7 },
  { name: null },
];

describe('adding a category', () => {
  test('returns its id and location, and every replica returns it immediately', async () => {
    const name = `${aName()} ß 🍵`;
    const { body, headers } = await add(`  ${name} `).expect(201);
    expect(body).toEqual({ id: expect.any(Number) });
    expect(headers.location).toBe(`${PATH}/${body.id}`);
    const shown = await show(body.id, replica).expect(200);
    expect(shown.body).toEqual({
      id: body.id,
      name,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(Math.abs(Date.parse(shown.body.created_at) - Date.now())).toBeLessThan(60_000);
  });

  test.each(['🍵', 'İ', 'ΐ'])('limits the name to 255 characters %s, not bytes', async (sign) => {
    const name = randomUUID() + sign.repeat(255 - randomUUID().length);
    const { body } = await add(name).expect(201);
    expect(await nameOf(body.id)).toBe(name);
  });

  test.each([
    ['in the same case', (name: string) => name],
    ['in another case', (name: string) => name.toUpperCase()],
    ['with spaces around it', (name: string) => `  ${name}\n`],
    ['in another normal form', (name: string) => name.normalize('NFD')],
    ['spelled with ss', (name: string) => name.replace('ß', 'SS')],
    ['spelled with a capital sharp s', (name: string) => name.replace('ß', 'ẞ')],
  ])('responds 409 to an existing name %s', async (_title, written) => {
    const { name } = await aCategory(`Süße Äpfel ${randomUUID()}`);
    const { body } = await add(written(name)).expect(409);
    expect(body.code).toBe('category_exists');
    expect(await rows('SELECT id FROM categories WHERE name_key = ?', [foldText(name)])).toHaveLength(1);
  });

  test.each([
    ['an accent', 'Peche', 'Pêche'],
    ['an umlaut', 'Apfel', 'Äpfel'],
    ['a dotless i', 'kisir', 'kısır'],
    ['an emoji', '🍵', '☕'],
  ])('accepts two names that differ in %s', async (_title, one, other) => {
    const end = randomUUID();
    await add(`${one} ${end}`).expect(201);
    await add(`${other} ${end}`).expect(201);
  });

  test('exactly one of many concurrent requests for one name succeeds, over two replicas', async () => {
    const name = aName();
    const responses = await Promise.all(
      Array.from({ length: 10 }, (_, index) => add(index % 3 ? name : name.toUpperCase(), index % 2 ? app : replica)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect(await rows('SELECT id FROM categories WHERE name_key = ?', [foldText(name)])).toHaveLength(1);
  });

  test.each(NO_NAMES)('responds 400 to %j and names the field', async (body) => {
    const response = await app.http.post(PATH).set(admin.auth).send(body).expect(400);
    expect(response.body.errors).toEqual([expect.objectContaining({ in: 'body', path: 'name' })]);
  });

  test('responds 400 to an unknown field', async () => {
    const response = await app.http.post(PATH).set(admin.auth).send({ name: aName(), id: 7 }).expect(400);
    expect(response.body.errors).toEqual([expect.objectContaining({ in: 'body', path: 'id' })]);
  });
});

describe('renaming a category', () => {
  test('takes effect on every replica immediately and keeps id and time', async () => {
    const { id } = await aCategory();
    const before = (await show(id).expect(200)).body;
    const name = aName();
    await rename(id, { name: ` ${name} ` }).expect(204, '');
    expect((await show(id, replica).expect(200)).body).toEqual({ ...before, name });
  });

  test('can change only the case, or nothing', async () => {
    const { id, name } = await aCategory();
    await rename(id, { name: name.toUpperCase() }).expect(204);
    await rename(id, { name: name.toUpperCase() }).expect(204);
    expect(await nameOf(id)).toBe(name.toUpperCase());
  });

  test('frees the old name and refuses a name in use', async () => {
    const [one, other] = [await aCategory(), await aCategory()];
    expect((await rename(one.id, { name: other.name.toUpperCase() }).expect(409)).body.code).toBe('category_exists');
    expect(await nameOf(one.id)).toBe(one.name);
    await rename(one.id, { name: aName() }).expect(204);
    await rename(other.id, { name: one.name }).expect(204);
  });

  test('exactly one of many concurrent renames to one name succeeds', async () => {
    const name = aName();
    const categories = await Promise.all(Array.from({ length: 8 }, () => aCategory()));
    const responses = await Promise.all(
      categories.map(({ id }, index) => rename(id, { name }, index % 2 ? app : replica)),
    );
    expect(responses.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(409)]);
    expect(await rows('SELECT id FROM categories WHERE name_key = ?', [name.toLowerCase()])).toHaveLength(1);
  });

  test('responds 404 to an unknown id', async () => {
    expect((await rename(UNKNOWN, { name: aName() }).expect(404)).body.code).toBe('not_found');
  });

  test.each(NO_NAMES)('responds 400 to %j and changes nothing', async (body) => {
    const { id, name } = await aCategory();
    await rename(id, body).expect(400);
    expect(await nameOf(id)).toBe(name);
  });
});

describe('deleting a category', () => {
  test('removes it on every replica immediately, and no other', async () => {
    const [gone, kept] = [await aCategory(), await aCategory()];
    await remove(gone.id).expect(204, '');
    await show(gone.id, replica).expect(404);
    await show(kept.id, replica).expect(200);
    const list = await replica.http.get(PATH).query({ search: gone.name }).expect(200);
    expect(list.body.pagination.total).toBe(0);
  });

  test('frees its name', async () => {
    const { id, name } = await aCategory();
    await remove(id).expect(204);
    await add(name).expect(201);
  });

  test('responds 404 to an unknown id, also the second time', async () => {
    const { id } = await aCategory();
    await remove(id).expect(204);
    for (const which of [id, UNKNOWN]) expect((await remove(which).expect(404)).body.code).toBe('not_found');
  });

  test('exactly one of many concurrent deletes succeeds', async () => {
    const { id } = await aCategory();
    const responses = await Promise.all(Array.from({ length: 8 }, (_, index) => remove(id, index % 2 ? app : replica)));
    expect(responses.map(({ status }) => status).sort()).toEqual([204, ...Array(7).fill(404)]);
  });
});

describe('without the admin role', () => {
  test.each([
    ['POST', (_id: number, name: string) => app.http.post(PATH).send({ name })],
    ['PUT', (id: number, name: string) => app.http.put(`${PATH}/${id}`).send({ name })],
    ['DELETE', (id: number) => app.http.delete(`${PATH}/${id}`)],
  ])('%s: 401 without a token, 403 for a user, and nothing changes', async (_method, write) => {
    const [{ id, name }, newName] = [await aCategory(), aName()];
    await write(id, newName)
      .expect(401)
      .expect('WWW-Authenticate', /^Bearer /);
    expect((await write(id, newName).set(user.auth).expect(403)).body.code).toBe('forbidden');
    expect(await nameOf(id)).toBe(name);
    expect(await rows('SELECT id FROM categories WHERE name = ?', [newName])).toEqual([]);
  });

  test('a write is refused before the request is validated', async () => {
    await app.http.post(PATH).set(user.auth).send({}).expect(403);
    await app.http.delete(`${PATH}/${UNKNOWN}`).set(user.auth).expect(403);
  });

  test('reading is allowed', async () => {
    const { id } = await aCategory();
    await show(id).expect(200);
    await app.http.get(PATH).expect(200);
  });
});

test.each(['x', '1x', '0', '-1', '1.5', '1e3', '99999999999999999999'])(
  'the id %s gets 400 on every endpoint',
  async (id) => {
    for (const response of [await show(id), await rename(id, { name: aName() }), await remove(id)]) {
      expect([response.status, response.body.errors[0]?.in]).toEqual([400, 'path']);
    }
  },
);
