import { randomUUID } from 'node:crypto';
import { measure } from './load.mjs';
import { tokenFor } from './shop.mjs';

/** Two users with a store and an address each: one whose things are read, and one who writes, so that the first one's lists stay as they are. */
const READER = { user: 2, store: 2, address: 1, products: 900 };
const WRITER = { user: 3, store: 3, address: 2, products: 100 };
const ORDERS = 1000;
const PASSWORD = 'correct horse battery';

const JSON_TYPE = { 'content-type': 'application/json' };
const BOUNDARY = 'bench-boundary';
const FORM_TYPE = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
const field = (name, value) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const END = `--${BOUNDARY}--\r\n`;
const PRODUCT_FORM =
  field('name', 'Mug') + field('description', 'A mug.') + field('price', '12.50') + field('stock', '10') + END;
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(4080, 'x')]);
const UPLOAD = Buffer.concat([
  Buffer.from(
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`,
  ),
  PNG,
  Buffer.from(`\r\n${END}`),
]);

const tokenOf = ({ user }) => ({ authorization: `Bearer ${tokenFor({ id: user, role: 'user' })}` });
const asReader = tokenOf(READER);
const asWriter = tokenOf(WRITER);
const get = (path) => ({ method: 'GET', path, headers: asReader });
const send = (method, path, body) => ({
  method,
  path,
  headers: { ...asWriter, ...JSON_TYPE },
  body: JSON.stringify(body),
});
const remove = (path) => ({ method: 'DELETE', path, headers: asWriter });
const form = (path, body) => ({ method: 'POST', path, headers: { ...asWriter, ...FORM_TYPE }, body });
const publicJson = (path, body) => ({ method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) });
/** The writer's products in turn. */
const product = (n) => READER.products + 1 + (n % WRITER.products);
const order = (n, lines) =>
  send('POST', '/api/v1/transactions', {
    address_id: WRITER.address,
    items: Array.from({ length: lines }, (_, line) => ({ product_id: product(n * lines + line), quantity: 1 })),
  });

/** Ids from which rows are inserted to be deleted, and from which the server numbers new rows. */
const DELETABLE = 1_000_001;
const CREATED = 1_000_000_001;

/** Inserts what the requests from n on delete. */
const insertDeletable =
  (table, columns, row) =>
  ({ sql }, n, count) =>
    sql(`INSERT IGNORE INTO ${table} (id, ${columns}) VALUES ?`, [
      Array.from({ length: count }, (_, index) => [DELETABLE + n + index, ...row]),
    ]);

/** Deletes what a round has created, so that lists stay as they are. */
const deleteCreated =
  (table) =>
  ({ sql }) =>
    sql(`DELETE FROM ${table} WHERE id >= ${CREATED}`);

/**
 * Requests by name: the service, and the n-th request (from 0). `prepare` runs once, `before` and `after` around each round, unmeasured.
 * `slow` ones take a CPU for tens of milliseconds, because they hash a password.
 */
export const endpoints = {
  register: {
    service: 'auth',
    slow: true,
    request: (n) =>
      publicJson('/api/v1/auth/register', {
        name: 'Ada',
        email: `ada-${n}-${randomUUID()}@shop.example`,
        phone: `+49${1_000_000_000 + n}`,
        password: PASSWORD,
      }),
  },
  login: {
    service: 'auth',
    slow: true,
    async prepare({ urls }) {
      const account = { name: 'Bob', email: 'bob@shop.example', phone: '+4930000000', password: PASSWORD };
      const { method, path, headers, body } = publicJson('/api/v1/auth/register', account);
      const response = await fetch(urls.auth + path, { method, headers, body });
      if (response.status !== 201) throw new Error(`registration: ${response.status} ${await response.text()}`);
    },
    request: () => publicJson('/api/v1/auth/login', { email: 'bob@shop.example', password: PASSWORD }),
  },
  'categories list': { service: 'auth', request: () => get('/api/v1/categories') },
  'products list, hit': { service: 'product', request: () => get('/api/v1/products') },
  'products list, miss': {
    service: 'product',
    request: (n) => get(`/api/v1/products?max_price=${(100_000 + n) / 100}`),
  },
  'catalog, hit': { service: 'product', request: () => ({ method: 'GET', path: '/api/v1/catalog/products' }) },
  'catalog, not cached': {
    service: 'product',
    request: (n) => ({ method: 'GET', path: `/api/v1/catalog/products?max_price=${(100_000 + n) / 100}` }),
  },
  'product by id': { service: 'product', request: () => get('/api/v1/products/1') },
  'product create': {
    service: 'product',
    request: () => form('/api/v1/products', PRODUCT_FORM),
    after: deleteCreated('products'),
  },
  'product update': {
    service: 'product',
    request: (n) => send('PUT', `/api/v1/products/${product(n)}`, { price: 10 + (n % 100) / 100 }),
  },
  'product delete': {
    service: 'product',
    before: insertDeletable('products', 'store_id, name, description, price', [WRITER.store, 'Mug', '', 12.5]),
    request: (n) => remove(`/api/v1/products/${DELETABLE + n}`),
  },
  'address create': {
    service: 'address',
    request: () =>
      send('POST', '/api/v1/addresses', {
        label: 'Home',
        address: 'Main Street 1',
        city: 'Paris',
        postal_code: '75001',
      }),
    after: deleteCreated('addresses'),
  },
  'addresses list': { service: 'address', request: () => get('/api/v1/addresses') },
  'address by id': { service: 'address', request: () => get(`/api/v1/addresses/${READER.address}`) },
  'address update': {
    service: 'address',
    request: (n) => send('PUT', `/api/v1/addresses/${WRITER.address}`, { label: `Home ${n}` }),
  },
  'address delete': {
    service: 'address',
    before: insertDeletable('addresses', 'user_id, address', [WRITER.user, 'Main Street 1']),
    request: (n) => remove(`/api/v1/addresses/${DELETABLE + n}`),
  },
  'transaction, 1 item': { service: 'transaction', request: (n) => order(n, 1) },
  'transaction, 5 items': { service: 'transaction', request: (n) => order(n, 5) },
  'transactions list': { service: 'transaction', request: () => get('/api/v1/transactions') },
  'transaction by id': {
    service: 'transaction',
    request: (n) => get(`/api/v1/transactions/${1 + (n % ORDERS)}`),
  },
  'store create': {
    service: 'store',
    request: (n) => send('POST', '/api/v1/stores', { name: `Store ${n}` }),
    after: deleteCreated('stores'),
  },
  'store by id': { service: 'store', request: () => get(`/api/v1/stores/${READER.store}`) },
  'store update': {
    service: 'store',
    request: (n) => send('PUT', `/api/v1/stores/${WRITER.store}`, { name: `Store ${n}` }),
  },
  'store delete': {
    service: 'store',
    before: insertDeletable('stores', 'user_id, name', [WRITER.user, 'Store']),
    request: (n) => remove(`/api/v1/stores/${DELETABLE + n}`),
  },
  'upload 4 KB PNG': { service: 'file', request: () => form('/api/v1/files/upload', UPLOAD) },
};

/** 1,000 products, and the reader's 1,000 orders. */
export async function fillShop({ sql }) {
  for (const { user, store, address, products } of [READER, WRITER]) {
    const person = [user, `User ${user}`, `user${user}@shop.example`, `+4930123${user}`];
    await sql('INSERT INTO users (id, name, email, phone) VALUES (?)', [person]);
    await sql('INSERT INTO stores (id, user_id, name) VALUES (?)', [[store, user, 'Mugs']]);
    await sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [
      Array.from({ length: products }, () => [store, 'Mug', 'A mug with a handle. '.repeat(10), 12.5, 1_000_000]),
    ]);
    const place = [address, user, 'Home', 'Main Street 1', 'Paris', '75001'];
    await sql('INSERT INTO addresses (id, user_id, label, address, city, postal_code) VALUES (?)', [place]);
  }
  const order = [READER.user, READER.store, READER.address, 'Home', 'Main Street 1', 'Paris', '75001', 12.5];
  await sql(
    `INSERT INTO transactions
       (user_id, store_id, address_id, ship_label, ship_address, ship_city, ship_postal_code, total) VALUES ?`,
    [Array.from({ length: ORDERS }, () => order)],
  );
  await sql(
    `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
     SELECT id, id, 'Mug', 12.5, 1 FROM transactions`,
  );
  for (const table of ['products', 'addresses', 'stores'])
    await sql(`ALTER TABLE ${table} AUTO_INCREMENT = ${CREATED}`);
}

/**
 * What sends requests to an endpoint of a shop that `fillShop` has filled, each time new ones. `load` has autocannon's options `amount`
 * or `duration`, and `connections`.
 * @returns a function that returns what `measure` returns
 */
export function loadOn({ url, sql }, name, { pids, amount, connections = 50, ...load }) {
  const { request, before, after } = endpoints[name];
  let next = 0;
  const setupRequest = (defaults) => {
    const made = { ...defaults, ...request(next) };
    next += 1;
    return made;
  };
  // Each client needs an object of its own, because autocannon keeps the prepared request in it.
  const setupClient = (client) => client.setRequests([{ setupRequest }]);
  return async function sendRound() {
    // Each client prepares more requests than it sends.
    await before?.({ sql }, next, amount + 2 * connections);
    const numbers = await measure({ ...load, title: name, url, connections, amount, setupClient, pids });
    await after?.({ sql });
    return numbers;
  };
}
