import { randomInt, randomUUID } from 'node:crypto';
import { aPng } from './files';

const API = '/api/v1';
const PASSWORD = 'correct horse battery';

interface Request {
  token?: string;
  json?: object;
  form?: FormData;
  key?: string;
}

type Body = Record<string, unknown>;
/** Sends a request such as `GET /api/v1/stores`. Throws if its status is not the expected one. */
type Send = (expected: number, line: string, request?: Request) => Promise<Body>;

export interface Customers {
  /** Each failed request: another status, no response, or a response that lacks what its customer wrote before. */
  readonly failures: readonly string[];
  readonly requests: number;
  /** The number of rounds that each customer has completed. */
  readonly rounds: readonly number[];
  /** Resolves when each has completed its current round. */
  stop(): Promise<void>;
}

/**
 * People who use all of the shop at `url`, each in rounds, until they are stopped. They use only what the previous release
 * knows too. Nothing is retried.
 */
export function startCustomers(url: string, count: number): Customers {
  const failures: string[] = [];
  const rounds = Array.from({ length: count }, () => 0);
  const state = { requests: 0, stopped: false };

  const send: Send = async (expected, line, request = {}) => {
    state.requests += 1;
    const [method = '', path = ''] = line.split(' ');
    const response = await fetch(url + path, {
      method,
      headers: headersOf(request),
      body: request.form ?? (request.json ? JSON.stringify(request.json) : null),
      signal: AbortSignal.timeout(60_000), // only for a response that never arrives
    });
    const text = await response.text();
    if (response.status !== expected) throw new Error(`${line}: ${response.status} ${text}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : {};
  };

  /** Until the first failure: after it, a customer does not have what the next requests need. */
  async function live(customer: number): Promise<void> {
    try {
      const [email, admin] = [await register(send), await logInAdmin(send)];
      while (!state.stopped) {
        await oneRound(send, email, admin);
        rounds[customer] = (rounds[customer] ?? 0) + 1;
      }
    } catch (error) {
      const cause = error instanceof Error && error.cause ? ` (${error.cause})` : '';
      failures.push(`${error}${cause}`);
    }
  }

  const lives = rounds.map((_, customer) => live(customer));
  return {
    failures,
    rounds,
    get requests() {
      return state.requests;
    },
    async stop() {
      state.stopped = true;
      await Promise.all(lives);
    },
  };
}

const headersOf = ({ token, json, key }: Request): Record<string, string> => ({
  ...(token ? { authorization: `Bearer ${token}` } : {}),
  ...(json ? { 'content-type': 'application/json' } : {}),
  ...(key ? { 'idempotency-key': key } : {}),
});

async function register(send: Send): Promise<string> {
  const email = `${randomUUID()}@example.com`;
  const json = { name: 'Zoë', email, phone: `+${randomInt(1e10, 1e11)}`, password: PASSWORD };
  await send(201, `POST ${API}/auth/register`, { json });
  return email;
}

/** The administrator of `sql/seed.sql`. */
async function logInAdmin(send: Send): Promise<string> {
  const json = { email: 'admin@example.com', password: 'admin123' };
  return String((await send(200, `POST ${API}/auth/login`, { json })).token);
}

/** A seller's and a buyer's day: each kind of row is written, changed and read again, and every list is read. */
async function oneRound(send: Send, email: string, admin: string): Promise<void> {
  const login = await send(200, `POST ${API}/auth/login`, { json: { email, password: PASSWORD } });
  const session = await send(200, `POST ${API}/auth/refresh`, { json: { refresh_token: login.refresh_token } });
  const token = String(session.token);
  const name = `Zoë ${randomUUID()}`;
  const me = await send(200, `GET ${API}/auth/me`, { token });
  await send(204, `PUT ${API}/auth/users/${me.id}`, { token, json: { name } });
  same('name', (await send(200, `GET ${API}/users/${me.id}`, { token })).name, name);

  const store = await send(201, `POST ${API}/stores`, { token, json: { name: 'A store' } });
  await send(204, `PUT ${API}/stores/${store.id}`, { token, json: { name } });
  same('store', (await send(200, `GET ${API}/stores/${store.id}`, { token })).name, name);

  const product = await addProduct(send, token, Number(store.id));
  const order = await buy(send, token, product);
  same('stock', (await send(200, `GET ${API}/products/${product}`, { token })).stock, 8);
  await send(204, `PATCH ${API}/transactions/${order}`, { token, json: { status: 'cancelled' } });
  same('stock', (await send(200, `GET ${API}/products/${product}`, { token })).stock, 10);
  await buy(send, token, product);
  await upload(send, token);
  await readLists(send, token);
  await administrate(send, admin);
  await send(204, `POST ${API}/auth/logout`, { json: { refresh_token: session.refresh_token } });
}

async function addProduct(send: Send, token: string, storeId: number): Promise<number> {
  const form = new FormData();
  const fields = { name: 'Mug', price: '2.50', stock: '3', store_id: String(storeId), description: 'Holds tea' };
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set('image', new Blob([aPng()], { type: 'image/png' }), 'mug.png');
  const { id, image_url } = await send(201, `POST ${API}/products`, { token, form });
  await send(200, `GET ${image_url}`);
  const word = randomUUID().slice(0, 8);
  await send(204, `PUT ${API}/products/${id}`, { token, json: { name: `Mug ${word}`, stock: 10 } });
  const found = await send(200, `GET ${API}/catalog/products?search=${word}`);
  same('product', (found.data as Body[])[0]?.id, id);
  return Number(id);
}

/** Orders two, and sends the order again as after a lost response. */
async function buy(send: Send, token: string, product: number): Promise<number> {
  const address = await send(201, `POST ${API}/addresses`, { token, json: { address: 'Main Street 1' } });
  await send(204, `PUT ${API}/addresses/${address.id}`, { token, json: { city: 'Ürümqi' } });
  const json = { address_id: address.id, items: [{ product_id: product, quantity: 2 }] };
  const key = randomUUID();
  const { id } = await send(201, `POST ${API}/transactions`, { token, key, json });
  same('order', (await send(201, `POST ${API}/transactions`, { token, key, json })).id, id);
  await send(204, `DELETE ${API}/addresses/${address.id}`, { token });
  const shown = await send(200, `GET ${API}/transactions/${id}`, { token });
  same('city', ((shown.transaction as Body).shipping_address as Body).city, 'Ürümqi');
  return Number(id);
}

async function upload(send: Send, token: string): Promise<void> {
  const form = new FormData();
  form.set('file', new Blob([aPng()], { type: 'image/png' }), 'ä.png');
  const { url } = await send(201, `POST ${API}/files/upload`, { token, form });
  await send(200, `GET ${url}`);
  await send(204, `DELETE ${API}/files/${String(url).split('/').at(-1)}`, { token });
}

async function readLists(send: Send, token: string): Promise<void> {
  const lists = ['categories', 'products', 'catalog/products', 'transactions', 'addresses', 'stores', 'files'];
  for (const list of [...lists, 'transactions?as=seller', 'products?search=mug', 'stores?search=zo%C3%AB']) {
    await send(200, `GET ${API}/${list}`, { token });
  }
}

async function administrate(send: Send, token: string): Promise<void> {
  const category = await send(201, `POST ${API}/categories`, { token, json: { name: randomUUID() } });
  await send(204, `PUT ${API}/categories/${category.id}`, { token, json: { name: randomUUID() } });
  await send(204, `DELETE ${API}/categories/${category.id}`, { token });
  for (const list of ['auth/users', 'products', 'transactions?status=cancelled', 'stores']) {
    await send(200, `GET ${API}/${list}`, { token });
  }
}

function same(what: string, received: unknown, expected: unknown): void {
  if (received !== expected) throw new Error(`${what}: ${received} instead of ${expected}`);
}
