import { requestsPerSecond } from './load.mjs';

export const CLIENTS = 50;
export const ADMIN = 1;
const UPLOADING = 16;
const UPLOAD_BYTES = 4096;

export const uploadForm = {
  type: 'multipart/form-data; boundary=bench',
  body: Buffer.concat([
    Buffer.from(
      '--bench\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
    ),
    Buffer.from('89504e470d0a1a0a0000000d49484452'.padEnd(2 * UPLOAD_BYTES, '0'), 'hex'),
    Buffer.from('\r\n--bench--\r\n'),
  ]),
};

/** What a benchmark sends to a service that `startService` has started. Each runs for some seconds. @returns requests/s */
export const workloads = {
  /** One page of the seller's products, from the cache. */
  products: {
    service: 'product',
    settings: {},
    async prepare(shop) {
      await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [
        Array.from({ length: 10 }, (_, index) => [1, `Mug ${index}`, 'A mug with a handle. '.repeat(10), 12.5, 100]),
      ]);
      const request = { url: `${shop.url}/api/v1/products`, headers: { authorization: `Bearer ${shop.adminToken}` } };
      await fetch(request.url, request);
      const response = await fetch(request.url, request);
      if (response.headers.get('x-cache') !== 'HIT') throw new Error('the list does not come from the cache');
      return { request, text: await response.text(), type: response.headers.get('content-type') };
    },
    run: ({ request }, seconds) => requestsPerSecond({ ...request, seconds }),
  },

  /** Orders of one item. Each client buys its own product repeatedly. */
  checkout: {
    service: 'transaction',
    /** One connection per client. With fewer, waiting for a connection would be measured too. */
    settings: { DB_POOL_SIZE: String(CLIENTS) },
    async prepare(shop) {
      await shop.sql('INSERT INTO addresses (user_id, address) VALUES (?, ?)', [ADMIN, 'Main Street 1']);
      const products = Array.from({ length: CLIENTS }, (_, index) => [1, `Mug ${index}`, '', 12.5, 1_000_000]);
      await shop.sql('INSERT INTO products (store_id, name, description, price, stock) VALUES ?', [products]);
      const headers = { authorization: `Bearer ${shop.adminToken}`, 'content-type': 'application/json' };
      return { request: { url: `${shop.url}/api/v1/transactions`, method: 'POST', headers } };
    },
    run({ request }, seconds) {
      let client = 0;
      return requestsPerSecond({
        ...request,
        seconds,
        connections: CLIENTS,
        setupClient(connection) {
          client += 1;
          connection.setBody(JSON.stringify({ address_id: 1, items: [{ product_id: client, quantity: 1 }] }));
        },
      });
    },
  },

  /** A PNG of 4 KB in a form. */
  upload: {
    service: 'file',
    settings: { DB_POOL_SIZE: String(CLIENTS) },
    async prepare({ url, adminToken }) {
      const headers = { authorization: `Bearer ${adminToken}`, 'content-type': uploadForm.type };
      return { request: { url: `${url}/api/v1/files/upload`, method: 'POST', headers, body: uploadForm.body } };
    },
    run: ({ request }, seconds) => requestsPerSecond({ ...request, seconds, connections: UPLOADING }),
  },
};
