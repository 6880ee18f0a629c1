import { addressService } from '@shop/address';
import { anAddress, aProduct, aStore, aUser, rows, startApp, type TestApp, type TestUser, write } from '@shop/testing';

const PATH = '/api/v1/addresses';

interface Row {
  user_id: number;
  label: string;
  address: string;
  city: string;
  postal_code: string;
}

let app: TestApp;
beforeAll(async () => {
  app = await startApp(addressService);
});
afterAll(() => app.close());

const storedAddress = async (id: number): Promise<Row | undefined> => {
  const [row] = await rows<Row>('SELECT user_id, label, address, city, postal_code FROM addresses WHERE id = ?', [id]);
  return row;
};

const addressOf = async (owner: TestUser, fields: object): Promise<number> => {
  const response = await app.http
    .post(PATH)
    .set(owner.auth)
    .send({ address: 'Main Street 1', ...fields })
    .expect(201);
  return response.body.id;
};

const listed = async (owner: TestUser, query: Record<string, string>): Promise<number[]> => {
  const response = await app.http
    .get(PATH)
    .query({ limit: '100', ...query })
    .set(owner.auth)
    .expect(200);
  const ids = response.body.data.map(({ id }: { id: number }) => id);
  expect(response.body.pagination.total).toBe(ids.length);
  return ids;
};

describe('adding an address', () => {
  it('stores it for the caller, trimmed, and returns its location', async () => {
    const owner = await aUser();
    const response = await app.http
      .post(PATH)
      .set(owner.auth)
      .send({ label: ' Home ', address: '  Główna 1\n2nd floor 🏠 ', city: 'Łódź', postal_code: '90-001' })
      .expect(201);
    expect(response.body).toEqual({ id: expect.any(Number) });
    expect(response.headers.location).toBe(`${PATH}/${response.body.id}`);
    expect(await storedAddress(response.body.id)).toEqual({
      user_id: owner.id,
      label: 'Home',
      address: 'Główna 1\n2nd floor 🏠',
      city: 'Łódź',
      postal_code: '90-001',
    });
  });

  it('requires only the address field', async () => {
    const owner = await aUser();
    const response = await app.http.post(PATH).set(owner.auth).send({ address: 'x' }).expect(201);
    expect(await storedAddress(response.body.id)).toEqual({
      user_id: owner.id,
      label: '',
      address: 'x',
      city: '',
      postal_code: '',
    });
  });

  it('limits lengths in characters, not in bytes or UTF-16 units', async () => {
    const owner = await aUser();
    const longest = {
      label: '🏠'.repeat(100),
      address: '🏠'.repeat(1000),
      city: 'ł'.repeat(100),
      postal_code: '９'.repeat(20),
    };
    const id = await addressOf(owner, longest);
    expect(await storedAddress(id)).toMatchObject(longest);
  });

  it('reports every invalid field at once and stores nothing', async () => {
    const owner = await aUser();
    const response = await app.http
      .post(PATH)
      .set(owner.auth)
      .send({ label: 'x'.repeat(101), address: '  ', city: 7, postal_code: 'x'.repeat(21), user_id: 1 })
      .expect(400);
    expect(response.body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      'address',
      'city',
      'label',
      'postal_code',
      'user_id',
    ]);
    expect(await rows('SELECT id FROM addresses WHERE user_id = ?', [owner.id])).toEqual([]);
  });

  it.each([
    ['no address', { label: 'Home' }],
    ['null for an optional text', { address: 'x', city: null }],
    ['a NUL', { address: 'a\0b' }],
    ['an address of 1,001 characters', { address: 'x'.repeat(1001) }],
    ['an array', []],
  ])('refuses %s', async (_what, body) => {
    const owner = await aUser();
    const response = await app.http.post(PATH).set(owner.auth).send(body).expect(400);
    expect(response.body.code).toBe('invalid_request');
  });

  it('responds 401 to the token of a deleted user', async () => {
    const user = await aUser();
    await write('DELETE FROM users WHERE id = ?', [user.id]);
    const response = await app.http.post(PATH).set(user.auth).send({ address: 'x' }).expect(401);
    expect(response.headers['www-authenticate']).toContain('error="invalid_token"');
  });
});

describe('listing addresses', () => {
  it("lists only the caller's own addresses, newest first, page by page", async () => {
    const [owner, stranger] = await Promise.all([aUser(), aUser()]);
    await anAddress(stranger);
    const ids: number[] = [];
    for (let count = 0; count < 3; count += 1) ids.unshift((await anAddress(owner)).id);
    const first = await app.http.get(PATH).query({ limit: '2' }).set(owner.auth).expect(200);
    const second = await app.http.get(PATH).query({ limit: '2', page: '2' }).set(owner.auth).expect(200);
    const beyond = await app.http.get(PATH).query({ limit: '2', page: '9' }).set(owner.auth).expect(200);
    expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(ids);
    expect(first.body.pagination).toEqual({ page: 1, limit: 2, total: 3, next_cursor: expect.any(String) });
    expect(beyond.body).toEqual({ data: [], pagination: { page: 9, limit: 2, total: 3, next_cursor: null } });
  });

  it('lists only their own addresses for an admin', async () => {
    const [admin, stranger] = await Promise.all([aUser({ role: 'admin' }), aUser()]);
    await anAddress(stranger);
    const { id } = await anAddress(admin);
    expect(await listed(admin, {})).toEqual([id]);
  });

  it('finds any part of the label and ignores case', async () => {
    const owner = await aUser();
    const home = await addressOf(owner, { label: 'My HOME' });
    await addressOf(owner, { label: 'Office' });
    expect(await listed(owner, { label: 'home' })).toEqual([home]);
    expect(await listed(owner, { label: ' y h ' })).toEqual([home]);
  });

  it.each(['%', '_', '\\', "'", 'é', '😀', '100%'])('matches %s in a label literally', async (character) => {
    const owner = await aUser();
    const id = await addressOf(owner, { label: `a ${character} b` });
    await addressOf(owner, { label: 'a e 😂 100 b' });
    expect(await listed(owner, { label: character })).toEqual([id]);
  });

  it('matches city and postal code as a whole and ignores case', async () => {
    const owner = await aUser();
    const id = await addressOf(owner, { city: 'ŁÓDŹ', postal_code: 'SW1A 1AA' });
    await addressOf(owner, { city: 'Łódź Fabryczna', postal_code: 'SW1A 1AAA' });
    await addressOf(owner, { city: 'Lodz', postal_code: 'SW1A_1AA' });
    expect(await listed(owner, { city: 'łódź' })).toEqual([id]);
    expect(await listed(owner, { postal_code: 'sw1a 1aa' })).toEqual([id]);
    expect(await listed(owner, { city: 'łódź', postal_code: '1' })).toEqual([]);
    expect(await listed(owner, { city: '%' })).toEqual([]);
  });

  it('treats empty filters as absent and ignores unknown ones', async () => {
    const owner = await aUser();
    const { id } = await anAddress(owner);
    expect(await listed(owner, { label: '', city: '', postal_code: ' ', search: 'x' })).toEqual([id]);
  });

  it.each(['page=0', 'page=x', 'limit=101', 'limit=1.5', 'label=%00', 'city=a&city=b'])(
    'refuses ?%s',
    async (query) => {
      const owner = await aUser();
      const response = await app.http.get(`${PATH}?${query}`).set(owner.auth).expect(400);
      expect(response.body.errors).toEqual([expect.objectContaining({ in: 'query', path: query.split('=')[0] })]);
    },
  );
});

describe('one address', () => {
  it('is visible to its owner and to an admin', async () => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const { id } = await anAddress(owner, 'Side Street 2');
    const response = await app.http.get(`${PATH}/${id}`).set(owner.auth).expect(200);
    expect(response.body).toEqual({
      id,
      user_id: owner.id,
      label: 'Home',
      address: 'Side Street 2',
      city: 'Springfield',
      postal_code: '12345',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect((await app.http.get(`${PATH}/${id}`).set(admin.auth).expect(200)).body).toEqual(response.body);
  });

  it('is updated only in the given fields', async () => {
    const owner = await aUser();
    const { id } = await anAddress(owner);
    const response = await app.http
      .put(`${PATH}/${id}`)
      .set(owner.auth)
      .send({ city: ' Shelbyville ', label: '' })
      .expect(204);
    expect(response.text).toBe('');
    expect(await storedAddress(id)).toEqual({
      user_id: owner.id,
      label: '',
      address: 'Main Street 1',
      city: 'Shelbyville',
      postal_code: '12345',
    });
  });

  it('can be updated by an admin, also to its current values', async () => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const { id } = await anAddress(owner);
    await app.http.put(`${PATH}/${id}`).set(admin.auth).send({ address: 'Main Street 1' }).expect(204);
    await app.http.put(`${PATH}/${id}`).set(admin.auth).send({ address: 'New Street 3' }).expect(204);
    expect(await storedAddress(id)).toMatchObject({ user_id: owner.id, address: 'New Street 3' });
  });

  it.each([
    ['nothing', {}],
    ['an emptied address', { address: ' ' }],
    ['null', { city: null }],
    ['an unknown field', { city: 'x', id: 7 }],
  ])('is not changed by %s', async (_what, body) => {
    const owner = await aUser();
    const { id } = await anAddress(owner);
    const before = await storedAddress(id);
    await app.http.put(`${PATH}/${id}`).set(owner.auth).send(body).expect(400);
    expect(await storedAddress(id)).toEqual(before);
  });

  it('can be deleted by its owner or an admin', async () => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const [first, second] = [await anAddress(owner), await anAddress(owner)];
    await app.http.delete(`${PATH}/${first.id}`).set(owner.auth).expect(204);
    await app.http.delete(`${PATH}/${second.id}`).set(admin.auth).expect(204);
    await app.http.delete(`${PATH}/${first.id}`).set(owner.auth).expect(404);
    expect(await listed(owner, {})).toEqual([]);
  });

  it('can be deleted after an order was shipped to it: the order keeps its own copy', async () => {
    const buyer = await aUser();
    const store = await aStore();
    await aProduct({ store });
    const { id } = await anAddress(buyer);
    const transaction = await write(
      `INSERT INTO transactions
         (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total)
       VALUES (?, ?, ?, 'Home', 'Main Street 1', 'Springfield', '12345', '10.00')`,
      [buyer.id, store.id, id],
    );
    await app.http.delete(`${PATH}/${id}`).set(buyer.auth).expect(204);
    expect(await rows('SELECT address_id, ship_address FROM transactions WHERE id = ?', [transaction])).toEqual([
      { address_id: null, ship_address: 'Main Street 1' },
    ]);
  });

  const attempts = ['get', 'put', 'delete'] as const;

  it.each(attempts)('of another user: %s responds 403 and changes nothing', async (method) => {
    const [owner, stranger] = await Promise.all([aUser(), aUser()]);
    const { id } = await anAddress(owner);
    const before = await storedAddress(id);
    for (const condition of [{}, { 'If-Match': '"another"' }]) {
      const response = await app.http[method](`${PATH}/${id}`)
        .set({ ...stranger.auth, ...condition })
        .send(method === 'put' ? { city: 'x' } : undefined);
      expect([response.status, response.body.code]).toEqual([403, 'forbidden']);
    }
    expect(await storedAddress(id)).toEqual(before);
  });

  it.each(attempts)('that does not exist: %s responds 404, also to an admin', async (method) => {
    const admin = await aUser({ role: 'admin' });
    const response = await app.http[method](`${PATH}/9007199254740991`)
      .set(admin.auth)
      .send(method === 'put' ? { city: 'x' } : undefined);
    expect([response.status, response.body.code]).toEqual([404, 'not_found']);
  });

  it.each(attempts)('with an invalid id: %s responds 400', async (method) => {
    const owner = await aUser();
    for (const id of ['0', '-1', '1abc', '1e3', '%00', '99999999999999999']) {
      const response = await app.http[method](`${PATH}/${id}`)
        .set(owner.auth)
        .send(method === 'put' ? { city: 'x' } : undefined);
      expect([id, response.status]).toEqual([id, 400]);
    }
  });
});

it.each([
  ['post', PATH],
  ['get', PATH],
  ['get', `${PATH}/1`],
  ['put', `${PATH}/1`],
  ['delete', `${PATH}/1`],
] as const)('%s %s responds 401 without a token', async (method, path) => {
  const response = await app.http[method](path).expect(401);
  expect(response.body.code).toBe('unauthenticated');
  expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
});
