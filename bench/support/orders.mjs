import { measure } from './load.mjs';

export const BUYER = 1;
const STOCK = 1_000_000_000;

/** A buyer's address and products of one store, with stock for any number of orders. @returns the ids of the products */
export async function prepareOrders(shop, products) {
  await shop.sql('INSERT INTO addresses (user_id, address) VALUES (?, ?)', [BUYER, 'Main Street 1']);
  const rows = Array.from({ length: products }, (_, index) => [1, `Mug ${index}`, '', 12.5, STOCK]);
  await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [rows]);
  const [found] = await shop.sql('SELECT id FROM products WHERE stock = ? ORDER BY id', [STOCK]);
  return found.map(({ id }) => id);
}

/**
 * Clients that each order their products repeatedly. `load` has more options of `measure`, such as `amount`.
 * @param productsOf the ids of the products that the n-th client orders, one of each
 * @param withKey whether each request has an idempotency key of its own
 * @returns what `measure` returns
 */
export async function placeOrders(shop, { clients, productsOf, withKey = false, ...load }) {
  let client = 0;
  return await measure({
    url: `${shop.url}/api/v1/transactions`,
    method: 'POST',
    headers: {
      authorization: `Bearer ${shop.adminToken}`,
      'content-type': 'application/json',
      // Autocannon replaces it by a new id in each request.
      ...(withKey ? { 'idempotency-key': '[<id>]' } : {}),
    },
    idReplacement: withKey,
    connections: clients,
    ...load,
    pids: { service: shop.pid, ...shop.pids },
    setupClient(connection) {
      const items = productsOf(client).map((product_id) => ({ product_id, quantity: 1 }));
      client += 1;
      connection.setBody(JSON.stringify({ address_id: 1, items }));
    },
  });
}
