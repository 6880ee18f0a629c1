import { randomInt, randomUUID } from 'node:crypto';
import { type ServiceName, serviceNames } from '@shop/shop';
import { aCategory, anAddress, aProduct, aStore, aUser, eventually, type TestUser, write } from '@shop/testing';
import { type StartedService, startAll } from './support/all-services';

/**
 * Access rules: calls every declared endpoint with a valid request as anonymous, as the resource's owner, as another user
 * and as an admin. An endpoint that is missing here fails the last test. With the same requests: ETag and Cache-Control of
 * every GET, and If-Match of every write that honours it, on two replicas.
 */

interface Request {
  path: string;
  json?: object;
  form?: FormData;
}

interface Row {
  /** A new valid request for a resource of `owner`, to be sent by `caller`. */
  request: (owner: TestUser, caller: TestUser | undefined) => Promise<Request>;
  anonymous: number;
  owner: number;
  other: number;
  admin: number;
}

const anyone = (status: number) => ({ anonymous: status, owner: status, other: status, admin: status });
const loggedIn = (status: number) => ({ anonymous: 401, owner: status, other: status, admin: status });
const adminOnly = (status: number) => ({ anonymous: 401, owner: 403, other: 403, admin: status });
const ownerOrAdmin = (status: number) => ({ anonymous: 401, owner: status, other: 403, admin: status });
/** Endpoints on the caller's own resources: an admin has no more rights than another user. */
const ownerOnly = (status: number, refused: number) => ({
  anonymous: 401,
  owner: status,
  other: refused,
  admin: refused,
});

const at = (path: string, json?: object) => async (): Promise<Request> => (json ? { path, json } : { path });

function pngForm(field: string, fields: Record<string, string> = {}): FormData {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  );
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  form.set(field, new Blob([png], { type: 'image/png' }), 'dot.png');
  return form;
}

let services: StartedService[];
/** A second replica of each service. */
let replicas: StartedService[];
beforeAll(async () => {
  [services, replicas] = [await startAll(), await startAll()];
});
afterAll(() => Promise.all([...services, ...replicas].map(({ app }) => app.close())));

const urlOf = (name: ServiceName, from: StartedService[]): string => {
  const service = from.find((started) => started.name === name);
  if (!service) throw new Error(`${name} did not start`);
  return service.app.url;
};

async function send(
  name: ServiceName,
  method: string,
  { path, json, form }: Request,
  caller?: TestUser,
  headers: Record<string, string> = {},
  from = services,
): Promise<Response> {
  return fetch(urlOf(name, from) + path, {
    method,
    headers: { ...caller?.auth, ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
    body: form ?? (json ? JSON.stringify(json) : null),
  });
}

const credentials = () => ({
  name: 'A Person',
  email: `${randomUUID()}@example.com`,
  phone: `+${randomInt(1e10, 1e12)}`,
  password: 'a good password',
});

/** A user registered through the API, with a password and a token set. */
async function registered(): Promise<ReturnType<typeof credentials> & { refresh_token: string }> {
  const person = credentials();
  const response = await send('auth', 'POST', { path: '/api/v1/auth/register', json: person });
  return { ...person, ...((await response.json()) as { refresh_token: string }) };
}

async function resetToken(): Promise<string> {
  const { email } = await registered();
  const response = await send('auth', 'POST', { path: '/api/v1/auth/forgot-password', json: { email } });
  return ((await response.json()) as { reset_token: string }).reset_token;
}

async function uploaded(owner: TestUser): Promise<string> {
  const response = await send('file', 'POST', { path: '/api/v1/files/upload', form: pngForm('file') }, owner);
  return ((await response.json()) as { url: string }).url.replace('/uploads/', '');
}

async function bought(buyer: TestUser): Promise<number> {
  const json = { address_id: (await anAddress(buyer)).id, items: [{ product_id: (await aProduct()).id, quantity: 1 }] };
  const response = await send('transaction', 'POST', { path: '/api/v1/transactions', json }, buyer);
  return ((await response.json()) as { id: number }).id;
}

const aSession = (owner: TestUser): Promise<number> =>
  write("INSERT INTO sessions (user_id, family_id, expires_at) VALUES (?, ?, '2100-01-01')", [owner.id, randomUUID()]);

const product = async (owner: TestUser) => aProduct({ store: await aStore({ owner }) });

const matrix: Record<ServiceName, Record<string, Row>> = {
  auth: {
    'POST /api/v1/auth/register': {
      ...anyone(201),
      request: async () => ({ path: '/api/v1/auth/register', json: credentials() }),
    },
    'POST /api/v1/auth/login': {
      ...anyone(200),
      request: async () => {
        const { email, password } = await registered();
        return { path: '/api/v1/auth/login', json: { email, password } };
      },
    },
    'POST /api/v1/auth/refresh': {
      ...anyone(200),
      request: async () => ({
        path: '/api/v1/auth/refresh',
        json: { refresh_token: (await registered()).refresh_token },
      }),
    },
    'POST /api/v1/auth/logout': { ...anyone(204), request: at('/api/v1/auth/logout', { refresh_token: 'unknown' }) },
    'POST /api/v1/auth/logout/all': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: '/api/v1/auth/logout/all', json: { user_id: owner.id } }),
    },
    'POST /api/v1/auth/forgot-password': {
      ...anyone(200),
      request: async () => ({ path: '/api/v1/auth/forgot-password', json: { email: (await registered()).email } }),
    },
    'POST /api/v1/auth/reset-password': {
      ...anyone(204),
      request: async () => ({
        path: '/api/v1/auth/reset-password',
        json: { token: await resetToken(), password: 'another one' },
      }),
    },
    'POST /api/v1/auth/sso/google': {
      ...anyone(503),
      request: at('/api/v1/auth/sso/google', { id_token: 'a.b.c' }),
    },
    'GET /api/v1/auth/me': { ...loggedIn(200), request: at('/api/v1/auth/me') },
    'GET /.well-known/jwks.json': { ...anyone(200), request: at('/.well-known/jwks.json') },
    'GET /api/v1/auth/me/sessions': { ...loggedIn(200), request: at('/api/v1/auth/me/sessions') },
    'DELETE /api/v1/auth/me/sessions/:id': {
      ...ownerOnly(204, 404),
      request: async (owner) => ({ path: `/api/v1/auth/me/sessions/${await aSession(owner)}` }),
    },
    'POST /api/v1/auth/verify-email': {
      ...anyone(400),
      request: at('/api/v1/auth/verify-email', { token: 'unknown' }),
    },
    'POST /api/v1/auth/verify-email/resend': { ...loggedIn(202), request: at('/api/v1/auth/verify-email/resend') },
    'PUT /api/v1/auth/me/email': {
      ...loggedIn(403),
      request: async () => ({
        path: '/api/v1/auth/me/email',
        json: { email: credentials().email, current_password: 'not the password' },
      }),
    },
    'PUT /api/v1/auth/me/password': {
      ...loggedIn(403),
      request: at('/api/v1/auth/me/password', { current_password: 'not the password', password: 'another one' }),
    },
    'GET /api/v1/auth/me/factor': { ...loggedIn(200), request: at('/api/v1/auth/me/factor') },
    'POST /api/v1/auth/me/factor': {
      ...loggedIn(503),
      request: at('/api/v1/auth/me/factor', { current_password: 'not the password' }),
    },
    'PUT /api/v1/auth/me/factor': { ...loggedIn(404), request: at('/api/v1/auth/me/factor', { code: '123456' }) },
    'DELETE /api/v1/auth/me/factor': {
      ...loggedIn(403),
      request: at('/api/v1/auth/me/factor', { current_password: 'not the password', code: '123456' }),
    },
    'POST /api/v1/auth/me/factor/recovery-codes': {
      ...loggedIn(403),
      request: at('/api/v1/auth/me/factor/recovery-codes', { current_password: 'not the password' }),
    },
    'GET /api/v1/auth/me/export': { ...loggedIn(200), request: at('/api/v1/auth/me/export') },
    'DELETE /api/v1/auth/me': {
      ...loggedIn(403),
      request: at('/api/v1/auth/me', { current_password: 'not the password' }),
    },
    'GET /api/v1/auth/users/:id/export': {
      ...adminOnly(200),
      request: async ({ id }) => ({ path: `/api/v1/auth/users/${id}/export` }),
    },
    'DELETE /api/v1/auth/users/:id': {
      ...adminOnly(204),
      request: async () => ({ path: `/api/v1/auth/users/${(await aUser()).id}` }),
    },
    'GET /api/v1/auth/audit': { ...adminOnly(200), request: at('/api/v1/auth/audit') },
    'GET /api/v1/auth/users': { ...adminOnly(200), request: at('/api/v1/auth/users') },
    'GET /api/v1/auth/users/:id': {
      ...ownerOrAdmin(200),
      request: async ({ id }) => ({ path: `/api/v1/auth/users/${id}` }),
    },
    'GET /api/v1/users/:id': { ...ownerOrAdmin(200), request: async ({ id }) => ({ path: `/api/v1/users/${id}` }) },
    'PUT /api/v1/auth/users/:id': {
      ...ownerOrAdmin(204),
      request: async ({ id }) => ({ path: `/api/v1/auth/users/${id}`, json: { name: 'New' } }),
    },
    'GET /api/v1/categories': { ...anyone(200), request: at('/api/v1/categories') },
    'GET /api/v1/categories/:id': {
      ...anyone(200),
      request: async () => ({ path: `/api/v1/categories/${(await aCategory()).id}` }),
    },
    'POST /api/v1/categories': {
      ...adminOnly(201),
      request: async () => ({ path: '/api/v1/categories', json: { name: randomUUID() } }),
    },
    'PUT /api/v1/categories/:id': {
      ...adminOnly(204),
      request: async () => ({ path: `/api/v1/categories/${(await aCategory()).id}`, json: { name: randomUUID() } }),
    },
    'DELETE /api/v1/categories/:id': {
      ...adminOnly(204),
      request: async () => ({ path: `/api/v1/categories/${(await aCategory()).id}` }),
    },
  },
  product: {
    'POST /api/v1/products': {
      ...ownerOrAdmin(201),
      request: async (owner) => ({
        path: '/api/v1/products',
        form: pngForm('image', { name: 'Mug', price: '1.00', store_id: String((await aStore({ owner })).id) }),
      }),
    },
    'GET /api/v1/products': { ...loggedIn(200), request: at('/api/v1/products') },
    'GET /api/v1/products/:id': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({ path: `/api/v1/products/${(await product(owner)).id}` }),
    },
    'PUT /api/v1/products/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/products/${(await product(owner)).id}`, json: { stock: 3 } }),
    },
    'DELETE /api/v1/products/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/products/${(await product(owner)).id}` }),
    },
    'PUT /api/v1/products/:id/image': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({
        path: `/api/v1/products/${(await product(owner)).id}/image`,
        form: pngForm('image'),
      }),
    },
    'DELETE /api/v1/products/:id/image': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/products/${(await product(owner)).id}/image` }),
    },
    'POST /api/v1/products/:id/stock': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({
        path: `/api/v1/products/${(await product(owner)).id}/stock`,
        json: { change: 3 },
      }),
    },
    'GET /api/v1/catalog/products': { ...anyone(200), request: at('/api/v1/catalog/products') },
    'GET /api/v1/catalog/products/:id': {
      ...anyone(200),
      request: async (owner) => ({ path: `/api/v1/catalog/products/${(await product(owner)).id}` }),
    },
  },
  transaction: {
    'POST /api/v1/transactions': {
      ...ownerOnly(201, 404),
      request: async (owner) => ({
        path: '/api/v1/transactions',
        json: { address_id: (await anAddress(owner)).id, items: [{ product_id: (await aProduct()).id, quantity: 1 }] },
      }),
    },
    'GET /api/v1/transactions': { ...loggedIn(200), request: at('/api/v1/transactions') },
    'GET /api/v1/transactions/:id': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({ path: `/api/v1/transactions/${await bought(owner)}` }),
    },
    'PATCH /api/v1/transactions/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({
        path: `/api/v1/transactions/${await bought(owner)}`,
        json: { status: 'cancelled' },
      }),
    },
  },
  address: {
    'POST /api/v1/addresses': { ...loggedIn(201), request: at('/api/v1/addresses', { address: 'Main Street 1' }) },
    'GET /api/v1/addresses': { ...loggedIn(200), request: at('/api/v1/addresses') },
    'GET /api/v1/addresses/:id': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({ path: `/api/v1/addresses/${(await anAddress(owner)).id}` }),
    },
    'PUT /api/v1/addresses/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({
        path: `/api/v1/addresses/${(await anAddress(owner)).id}`,
        json: { city: 'Shelbyville' },
      }),
    },
    'DELETE /api/v1/addresses/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/addresses/${(await anAddress(owner)).id}` }),
    },
  },
  store: {
    'POST /api/v1/stores': { ...loggedIn(201), request: at('/api/v1/stores', { name: 'Mugs' }) },
    'GET /api/v1/stores': { ...loggedIn(200), request: at('/api/v1/stores') },
    'GET /api/v1/stores/:id': {
      ...ownerOrAdmin(200),
      request: async (owner) => ({ path: `/api/v1/stores/${(await aStore({ owner })).id}` }),
    },
    'PUT /api/v1/stores/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/stores/${(await aStore({ owner })).id}`, json: { name: 'Cups' } }),
    },
    'DELETE /api/v1/stores/:id': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/stores/${(await aStore({ owner })).id}` }),
    },
  },
  file: {
    'POST /api/v1/files/upload': {
      ...loggedIn(201),
      request: async () => ({ path: '/api/v1/files/upload', form: pngForm('file') }),
    },
    'GET /api/v1/files': { ...loggedIn(200), request: at('/api/v1/files') },
    'DELETE /api/v1/files/:filename': {
      ...ownerOrAdmin(204),
      request: async (owner) => ({ path: `/api/v1/files/${await uploaded(owner)}` }),
    },
    'GET /uploads/:filename': {
      ...anyone(200),
      request: async (owner) => ({ path: `/uploads/${await uploaded(owner)}` }),
    },
  },
};

describe.each(serviceNames)('%s', (name) => {
  test.each(Object.entries(matrix[name]))('%s', async (route, row) => {
    const [method = ''] = route.split(' ');
    const [owner, other, admin] = await Promise.all([aUser(), aUser(), aUser({ role: 'admin' })]);
    await aStore({ owner });
    const responses: Record<string, number> = {};
    for (const [who, caller] of Object.entries({ anonymous: undefined, owner, other, admin })) {
      responses[who] = (await send(name, method, await row.request(owner, caller), caller)).status;
    }
    const { anonymous, owner: byOwner, other: byOther, admin: byAdmin } = row;
    expect(responses).toEqual({ anonymous, owner: byOwner, other: byOther, admin: byAdmin });
  });

  const endpointOf = (route: string) =>
    services
      .find((service) => service.name === name)
      ?.endpoints.find(({ method, path }) => `${method.toUpperCase()} ${path}` === route);

  const reads = Object.entries(matrix[name]).filter(([route]) => /^GET (?!\/uploads\/)/.test(route));

  test.each(reads)('%s is revalidated by a strong ETag, the same on each replica', async (route, row) => {
    const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
    const caller = row.owner === 200 ? owner : admin;
    const request = await row.request(owner, caller);
    const read = async (from: StartedService[], headers = {}) => {
      const response = await send(name, 'GET', request, caller, headers, from);
      const { etag, 'cache-control': cacheControl } = Object.fromEntries(response.headers);
      return { status: response.status, etag: etag ?? '', cacheControl, text: await response.text() };
    };
    const responses = [await read(services), await read(services), await read(replicas)];
    // Other tests change what the lists of all users show, and an export has its time in it.
    const etagOf = new Map(responses.map(({ text, etag }) => [text, etag]));
    expect(responses.map(({ etag }) => etag)).toEqual(responses.map(({ text }) => etagOf.get(text)));
    expect(new Set(etagOf.values()).size).toBe(etagOf.size);
    const read200 = row.anonymous === 200 ? 'no-cache' : 'private, no-cache';
    for (const { etag, cacheControl } of responses) {
      expect(etag).toMatch(/^"[\w-]{22}(-gzip)?"$/);
      expect(cacheControl).toBe(route.endsWith('/jwks.json') ? 'public, max-age=300' : read200);
    }
    if (route.endsWith('/export')) return;
    await eventually('a 304', async () => {
      const { etag } = await read(services);
      const { status, text, cacheControl } = await read(replicas, { 'if-none-match': etag });
      return status === 304 && text === '' && cacheControl === responses[0]?.cacheControl;
    });
  });

  const writes = Object.entries(matrix[name]).filter(
    // Those of the own account need a password, and an image has the tag of its product: they have their own tests.
    ([route]) => /^(PUT|PATCH|DELETE) /.test(route) && !/\/me|\/image$/.test(route),
  );

  test.each(writes)('%s honours If-Match, also of two writes at once', async (route, row) => {
    const [method = ''] = route.split(' ');
    expect(endpointOf(route)?.ifMatch).toBeDefined();
    for (let round = 0; round < 3; round += 1) {
      const [owner, admin] = await Promise.all([aUser(), aUser({ role: 'admin' })]);
      const caller = row.owner === 204 ? owner : admin;
      const tagOf = async ({ path }: Request) => {
        const response = await send(name, 'GET', { path: path.replace('/api/v1/files/', '/uploads/') }, caller);
        return response.headers.get('etag') ?? '';
      };
      const write = (request: Request, tag: string, from = services, by = caller) =>
        send(name, method, request, by, { 'if-match': tag }, from);
      const request = await row.request(owner, caller);
      const tag = await tagOf(request);
      for (const refused of ['"other"', `W/${tag}`, tag.slice(1, -1)]) {
        const response = await write(request, refused);
        expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([
          412,
          'precondition_failed',
        ]);
      }
      expect((await write(request, '"other"', services, await aUser())).status).toBe(403);
      expect(await tagOf(request)).toBe(tag);
      const both = await Promise.all([write(request, `"other", ${tag}`), write(request, tag, replicas)]);
      const isGone = method === 'DELETE';
      expect(both.map(({ status }) => status).sort()).toEqual(isGone ? [204, 404] : [204, 412]);
      expect((await write(request, '*')).status).toBe(isGone ? 404 : method === 'PATCH' ? 409 : 204);
    }
  });

  test('every endpoint is listed above', () => {
    const declared = services.find((service) => service.name === name)?.endpoints ?? [];
    const routes = declared.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(Object.keys(matrix[name]).sort()).toEqual(routes.sort());
  });
});
