import { randomUUID } from 'node:crypto';
import { aUser, type TestApp, type TestUser } from '@shop/testing';
import { startAll } from './support/all-services';

let apps: Record<string, TestApp>;
let admin: TestUser;

beforeAll(async () => {
  const started = await startAll();
  apps = Object.fromEntries(started.map(({ name, app }) => [name, app]));
  admin = await aUser({ role: 'admin' });
});
afterAll(() => Promise.all(Object.values(apps).map((app) => app.close())));

/** Spellings of one text: each must find all others. */
const SPELLINGS: [language: string, spellings: string[]][] = [
  ['German', ['WEIẞBROT', 'WEISSBROT', 'weißbrot']],
  ['Turkish', ['Çay İçin', 'Çay İçin'.normalize('NFD'), 'çay i\u0307çin']],
  ['Greek', ['ΉΛΙΟΣ', 'ήλιος', 'Ήλιος', 'ήλιος'.normalize('NFD')]],
  ['Georgian', ['ᲗᲑᲘᲚᲘᲡᲘ', 'თბილისი']],
  ['Vietnamese', ['Phở Bộ', 'PHO\u031b\u0309 BO\u0323\u0302', 'pho\u0309\u031b bo\u0302\u0323']],
  ['Arabic', ['أحمد', 'ا\u0654حمد']],
  ['Chinese', ['绿茶', '绿茶'.normalize('NFD')]],
  ['emoji', ['🍵 Zoë', '🍵 ZOË'.normalize('NFD')]],
];
/** Different texts: the first is stored, the second is searched for. */
const DIFFERENT: [language: string, stored: string, wanted: string][] = [
  ['German', 'Weißbrot', 'weisbrot'],
  ['Turkish', 'ısı', 'isi'],
  ['Greek', 'ήλιος', 'ηλιος'],
  ['Vietnamese', 'phở', 'phơ'],
  ['Arabic', 'مُحَمَّد', 'محمد'],
  ['Chinese', '绿茶', '红茶'],
  ['emoji', '😀', '😂'],
];

interface Place {
  app: string;
  path: string;
  /** The request that creates a row whose searched text is `text`. */
  body: (text: string) => object;
  /** The paths that search it, with the query parameter. */
  lists: [path: string, parameter: string][];
}

const CATALOG = '/api/v1/catalog/products';
const places: Record<string, Place> = {
  categories: {
    app: 'auth',
    path: '/api/v1/categories',
    body: (name) => ({ name }),
    lists: [['/api/v1/categories', 'search']],
  },
  stores: { app: 'store', path: '/api/v1/stores', body: (name) => ({ name }), lists: [['/api/v1/stores', 'search']] },
  'product names': {
    app: 'product',
    path: '/api/v1/products',
    body: (name) => ({ name, price: 1 }),
    lists: [
      ['/api/v1/products', 'search'],
      [CATALOG, 'search'],
    ],
  },
  'product descriptions': {
    app: 'product',
    path: '/api/v1/products',
    body: (description) => ({ name: 'Mug', price: 1, description }),
    lists: [[CATALOG, 'search']],
  },
  'address labels': {
    app: 'address',
    path: '/api/v1/addresses',
    body: (label) => ({ label, address: 'x' }),
    lists: [['/api/v1/addresses', 'label']],
  },
  cities: {
    app: 'address',
    path: '/api/v1/addresses',
    body: (city) => ({ city, address: 'x' }),
    lists: [['/api/v1/addresses', 'city']],
  },
};

const appOf = ({ app }: Place): TestApp => apps[app] as TestApp;

async function add(place: Place, text: string): Promise<number> {
  const { body } = await appOf(place).http.post(place.path).set(admin.auth).send(place.body(text)).expect(201);
  return body.id;
}

async function find(place: Place, text: string): Promise<number[][]> {
  const found: number[][] = [];
  for (const [path, parameter] of place.lists) {
    const query = { [parameter]: text, limit: 100 };
    const { body } = await appOf(place).http.get(path).query(query).set(admin.auth).expect(200);
    found.push(body.data.map(({ id }: { id: number }) => id));
  }
  return found;
}

describe.each(Object.keys(places))('%s', (name) => {
  const place = places[name] as Place;
  const inAllLists = (ids: number[]) => place.lists.map(() => ids);

  beforeAll(async () => {
    if (place.app === 'product') await apps.store?.http.post('/api/v1/stores').set(admin.auth).send({ name: 'Mugs' });
  });

  test.each(SPELLINGS)('%s: every spelling finds every other', async (_language, spellings) => {
    for (const stored of spellings) {
      const mark = randomUUID().slice(0, 8);
      const id = await add(place, `${stored} ${mark}`);
      for (const wanted of spellings) expect(await find(place, `${wanted} ${mark}`)).toEqual(inAllLists([id]));
    }
  });

  test.each(DIFFERENT)('%s: %s is not found as %s', async (_language, stored, wanted) => {
    const mark = randomUUID().slice(0, 8);
    await add(place, `${stored} ${mark}`);
    // Products are searched by words, and an emoji is not a word: the mark next to it would find the product.
    const query = /\p{L}/u.test(wanted) ? `${wanted} ${mark}` : wanted;
    expect(await find(place, query)).toEqual(inAllLists([]));
  });

  test('after a rename only the new text matches', async () => {
    const [before, after] = [`Älter ${randomUUID()}`, `Größer ${randomUUID()}`];
    const id = await add(place, before);
    const change = Object.fromEntries(
      Object.entries(place.body(after)).filter(([, value]) => value === after || value === 'x'),
    );
    await appOf(place).http.put(`${place.path}/${id}`).set(admin.auth).send(change).expect(204);
    expect(await find(place, after.toUpperCase())).toEqual(inAllLists([id]));
    expect(await find(place, before)).toEqual(inAllLists([]));
  });
});

test.each(SPELLINGS)('%s: all spellings are the same category name', async (_language, spellings) => {
  const mark = randomUUID();
  const post = (name: string) => apps.auth?.http.post('/api/v1/categories').set(admin.auth).send({ name });
  const [first = '', ...others] = spellings.map((spelling) => `${spelling} ${mark}`);
  await post(first)?.expect(201);
  for (const other of others) expect((await post(other)?.expect(409))?.body.code).toBe('category_exists');
});

test.each(DIFFERENT)('%s: %s and %s are different categories', async (_language, one, other) => {
  const mark = randomUUID();
  for (const name of [one, other]) {
    await apps.auth?.http
      .post('/api/v1/categories')
      .set(admin.auth)
      .send({ name: `${name} ${mark}` })
      .expect(201);
  }
});

describe('users', () => {
  const find = async (search: string): Promise<string[]> => {
    const response = await apps.auth?.http.get('/api/v1/auth/users').query({ search, limit: 100 }).set(admin.auth);
    return response?.body.data.map(({ email }: { email: string }) => email);
  };
  const register = async (name: string): Promise<string> => {
    const email = `${randomUUID()}@example.com`;
    const phone = `+${String(BigInt(`0x${randomUUID().slice(0, 8)}`)).padStart(12, '1')}`;
    const account = { name, email, phone, password: 'correct horse battery' };
    await apps.auth?.http.post('/api/v1/auth/register').send(account).expect(201);
    return email;
  };

  test.each(SPELLINGS)('%s: every spelling of a name finds every other', async (_language, spellings) => {
    const mark = randomUUID().slice(0, 8);
    const email = await register(`${spellings[0]} ${mark}`);
    for (const wanted of spellings) expect(await find(`${wanted} ${mark}`)).toEqual([email]);
  });

  test('finds a changed name, the first store, and an email address in any case', async () => {
    const user = await aUser();
    const name = `Größer ${randomUUID()}`;
    await apps.auth?.http.put(`/api/v1/auth/users/${user.id}`).set(user.auth).send({ name }).expect(204);
    expect(await find(name.toUpperCase())).toEqual([user.email]);
    expect(await find(user.email.toUpperCase().slice(3))).toEqual([user.email]);
    const mark = randomUUID().slice(0, 8);
    await register(`Zoë ${mark}`);
    const stores = await apps.store?.http
      .get('/api/v1/stores')
      .query({ search: `ZOË ${mark}'S`.normalize('NFD') })
      .set(admin.auth);
    expect(stores?.body.data).toHaveLength(1);
  });
});

test('a postal code is matched as a whole', async () => {
  const code = `Äb ${randomUUID().slice(0, 8)}`;
  const address = { address: 'x', postal_code: code };
  await apps.address?.http.post('/api/v1/addresses').set(admin.auth).send(address).expect(201);
  const count = async (postal_code: string) =>
    (await apps.address?.http.get('/api/v1/addresses').query({ postal_code }).set(admin.auth))?.body.data.length;
  expect([await count(code.toUpperCase().normalize('NFD')), await count(code.slice(1))]).toEqual([1, 0]);
});
