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
  const answer = await app.http
    .post(PATH)
    .set(owner.auth)
    .send({ address: 'Main Street 1', ...fields })
    .expect(201);
  return answer.body.id;
};

const listed = async (owner: TestUser, query: Record<string, string>): Promise<number[]> => {
  const answer = await app.http
    .get(PATH)
    .query({ limit: '100', ...query })
    .set(owner.auth)
    .expect(200);
  const ids = answer.body.data.map(({ id }: { id: number }) => id);
  expect(answer.body.pagination.total).toBe(ids.length);
  return ids;
};

describe('adding an address', () => {
  it("stores it as the caller's, trimmed, and says where it is", async () => {
    const owner = await aUser();
    const answer = await app.http
      .post(PATH)
      .set(owner.auth)
      .send({ label: ' Home ', address: '  Główna 1\n2nd floor 🏠 ', city: 'Łódź', postal_code: '90-001' })
      .expect(201);
    expect(answer.body).toEqual({ id: expect.any(Number) });
    expect(answer.headers.location).toBe(`${PATH}/${answer.body.id}`);
    expect(await storedAddress(answer.body.id)).toEqual({
      user_id: owner.id,
      label: 'Home',
      address: 'Główna 1\n2nd floor 🏠',
      city: 'Łódź',
      postal_code: '90-001',
    });
  });

  it('needs nothing but the address itself', async () => {
    const owner = await aUser();
    const answer = await app.http.post(PATH).set(owner.auth).send({ address: 'x' }).expect(201);
    expect(await storedAddress(answer.body.id)).toEqual({
      user_id: owner.id,
      label: '',
      address: 'x',
      city: '',
      postal_code: '',
    });
  });

  it('counts lengths in characters, not in bytes or UTF-16 units', async () => {
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

  it('names every wrong field at once and stores nothing', async () => {
    const owner = await aUser();
    const answer = await app.http
      .post(PATH)
      .set(owner.auth)
      .send({ label: 'x'.repeat(101), address: '  ', city: 7, postal_code: 'x'.repeat(21), user_id: 1 })
      .expect(400);
    expect(answer.body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
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
    const answer = await app.http.post(PATH).set(owner.auth).send(body).expect(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it('refuses the token of a user who is gone', async () => {
    const user = await aUser();
    await write('DELETE FROM users WHERE id = ?', [user.id]);
    const answer = await app.http.post(PATH).set(user.auth).send({ address: 'x' }).expect(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  });
});

describe('listing addresses', () => {
  it("shows one's own only, newest first, page by page", async () => {
    const [owner, stranger] = await Promise.all([aUser(), aUser()]);
    await anAddress(stranger);
    const ids: number[] = [];
    for (let count = 0; count < 3; count += 1) ids.unshift((await anAddress(owner)).id);
    const first = await app.http.get(PATH).query({ limit: '2' }).set(owner.auth).expect(200);
    const second = await app.http.get(PATH).query({ limit: '2', page: '2' }).set(owner.auth).expect(200);
    const beyond = await app.http.get(PATH).query({ limit: '2', page: '9' }).set(owner.auth).expect(200);
    expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(ids);
    expect(first.body.pagination).toEqual({ page: 1, limit: 2, total: 3 });
    expect(beyond.body).toEqual({ data: [], pagination: { page: 9, limit: 2, total: 3 } });
  });

  it('shows an admin the own ones, too', async () => {
    const [admin, stranger] = await Promise.all([aUser({ role: 'admin' }), aUser()]);
    await anAddress(stranger);
    const { id } = await anAddress(admin);
    expect(await listed(admin, {})).toEqual([id]);
  });

  it('finds a part of the label whatever its case', async () => {
    const owner = await aUser();
    const home = await addressOf(owner, { label: 'My HOME' });
    await addressOf(owner, { label: 'Office' });
    expect(await listed(owner, { label: 'home' })).toEqual([home]);
    expect(await listed(owner, { label: ' y h ' })).toEqual([home]);
  });

  it.each(['%', '_', '\\', "'", 'é', '😀', '100%'])('takes %s in a label literally', async (character) => {
    const owner = await aUser();
    const id = await addressOf(owner, { label: `a ${character} b` });
    await addressOf(owner, { label: 'a e 😂 100 b' });
    expect(await listed(owner, { label: character })).toEqual([id]);
  });

  it('finds a city and a postal code only as a whole, whatever their case', async () => {
    const owner = await aUser();
    const id = await addressOf(owner, { city: 'ŁÓDŹ', postal_code: 'SW1A 1AA' });
    await addressOf(owner, { city: 'Łódź Fabryczna', postal_code: 'SW1A 1AAA' });
    await addressOf(owner, { city: 'Lodz', postal_code: 'SW1A_1AA' });
    expect(await listed(owner, { city: 'łódź' })).toEqual([id]);
    expect(await listed(owner, { postal_code: 'sw1a 1aa' })).toEqual([id]);
    expect(await listed(owner, { city: 'łódź', postal_code: '1' })).toEqual([]);
    expect(await listed(owner, { city: '%' })).toEqual([]);
  });

  it('takes empty filters as absent and ignores unknown ones', async () => {
    const owner = await aUser();
    const { id } = await anAddress(owner);
    expect(await listed(owner, { label: '', city: '', postal_code: ' ', search: 'x' })).toEqual([id]);
  });

  it.each(['page=0', 'page=x', 'limit=101', 'limit=1.5', 'label=%00', 'city=a&city=b'])(
    'refuses ?%s',
    async (query) => {
      const owner = await aUser();
      const answer = await app.http.get(`${PATH}?${query}`).set(owner.auth).expect(400);
      expect(answer.body.errors).toEqual([expect.objectContaining({ in: 'query', path: query.split('=')[0] })]);
    },
  );
});

describe('one address', () => {
  it('is shown to its owner and to an admin', async () => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const { id } = await anAddress(owner, 'Side Street 2');
    const answer = await app.http.get(`${PATH}/${id}`).set(owner.auth).expect(200);
    expect(answer.body).toEqual({
      id,
      user_id: owner.id,
      label: 'Home',
      address: 'Side Street 2',
      city: 'Springfield',
      postal_code: '12345',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect((await app.http.get(`${PATH}/${id}`).set(admin.auth).expect(200)).body).toEqual(answer.body);
  });

  it('changes only in the fields that are given', async () => {
    const owner = await aUser();
    const { id } = await anAddress(owner);
    const answer = await app.http
      .put(`${PATH}/${id}`)
      .set(owner.auth)
      .send({ city: ' Shelbyville ', label: '' })
      .expect(204);
    expect(answer.text).toBe('');
    expect(await storedAddress(id)).toEqual({
      user_id: owner.id,
      label: '',
      address: 'Main Street 1',
      city: 'Shelbyville',
      postal_code: '12345',
    });
  });

  it('may be changed by an admin, and to what it already is', async () => {
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

  it('is gone once it is deleted, by its owner or an admin', async () => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const [first, second] = [await anAddress(owner), await anAddress(owner)];
    await app.http.delete(`${PATH}/${first.id}`).set(owner.auth).expect(204);
    await app.http.delete(`${PATH}/${second.id}`).set(admin.auth).expect(204);
    await app.http.delete(`${PATH}/${first.id}`).set(owner.auth).expect(404);
    expect(await listed(owner, {})).toEqual([]);
  });

  it('can be deleted after it was shipped to: the transaction keeps its own copy', async () => {
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

  it.each(attempts)("is another user's: %s answers 403 and leaves it alone", async (method) => {
    const [owner, stranger] = await Promise.all([aUser(), aUser()]);
    const { id } = await anAddress(owner);
    const before = await storedAddress(id);
    const answer = await app.http[method](`${PATH}/${id}`)
      .set(stranger.auth)
      .send(method === 'put' ? { city: 'x' } : undefined);
    expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    expect(await storedAddress(id)).toEqual(before);
  });

  it.each(attempts)('that does not exist: %s answers 404, to an admin too', async (method) => {
    const admin = await aUser({ role: 'admin' });
    const answer = await app.http[method](`${PATH}/9007199254740991`)
      .set(admin.auth)
      .send(method === 'put' ? { city: 'x' } : undefined);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  });

  it.each(attempts)('with an id that is none: %s answers 400', async (method) => {
    const owner = await aUser();
    for (const id of ['0', '-1', '1abc', '1e3', '%00', '99999999999999999']) {
      const answer = await app.http[method](`${PATH}/${id}`)
        .set(owner.auth)
        .send(method === 'put' ? { city: 'x' } : undefined);
      expect([id, answer.status]).toEqual([id, 400]);
    }
  });
});

it.each([
  ['post', PATH],
  ['get', PATH],
  ['get', `${PATH}/1`],
  ['put', `${PATH}/1`],
  ['delete', `${PATH}/1`],
] as const)('%s %s answers 401 to nobody in particular', async (method, path) => {
  const answer = await app.http[method](path).expect(401);
  expect(answer.body.code).toBe('unauthenticated');
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
});
