import { createMetrics } from '@shop/core/metrics';
import {
  anAddress,
  aProduct,
  aStore,
  aUser,
  lockedRow,
  retryWhileBusy,
  rows,
  startApp,
  type TestApp,
  type TestUser,
  write,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { verifyStock } from '../ledger/verify-stock';
import { cancelUnpaidOrders, createUnpaidOrders } from './cancel-unpaid-orders';
import { createOrderMetrics } from './order-metrics';

const PATH = '/api/v1/transactions';
let here: TestApp;
let there: TestApp;
let seller: TestUser;
let buyer: TestUser;
let admin: TestUser;
let stranger: TestUser;
let store: { id: number };

beforeAll(async () => {
  [here, there, seller, buyer, admin, stranger] = await Promise.all([
    startApp(transactionService, { DB_POOL_SIZE: '20' }),
    startApp(transactionService, { DB_POOL_SIZE: '20' }),
    aUser(),
    aUser(),
    aUser({ role: 'admin' }),
    aUser(),
  ]);
  store = await aStore({ owner: seller });
});
afterAll(() => Promise.all([here.close(), there.close()]));

type Status = 'pending' | 'paid' | 'shipped' | 'completed' | 'cancelled';
const patch = (by: TestUser, id: number, status: string, app = here) =>
  app.http.patch(`${PATH}/${id}`).set(by.auth).send({ status });
const show = async (id: number, by = buyer) => (await here.http.get(`${PATH}/${id}`).set(by.auth).expect(200)).body;
const stockOf = async (id: number) =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]))[0]?.stock;
const movementsOf = (id: number) =>
  rows('SELECT product_id, reason, quantity FROM stock_movements WHERE transaction_id = ? ORDER BY id', [id]);

async function anOrder(lines = [{ stock: 10, quantity: 3 }]): Promise<{ id: number; products: number[] }> {
  const { id: address_id } = await anAddress(buyer);
  const products = await Promise.all(lines.map(({ stock }) => aProduct({ store, stock })));
  const items = products.map(({ id }, index) => ({ product_id: id, quantity: lines[index]?.quantity }));
  const { body } = await here.http.post(PATH).set(buyer.auth).send({ address_id, items }).expect(201);
  return { id: body.id, products: products.map(({ id }) => id) };
}

/** An order brought to this status through the API. */
async function anOrderThatIs(status: Status): Promise<{ id: number; products: number[] }> {
  const order = await anOrder();
  const way: Record<Status, Status[]> = {
    pending: [],
    paid: ['paid'],
    shipped: ['paid', 'shipped'],
    completed: ['paid', 'shipped', 'completed'],
    cancelled: ['cancelled'],
  };
  for (const step of way[status]) await patch(admin, order.id, step).expect(204);
  return order;
}

describe('each step, for each role', () => {
  const allowed: Record<string, Partial<Record<Status, Status[]>>> = {
    buyer: { pending: ['cancelled'] },
    seller: { pending: ['cancelled'], paid: ['shipped', 'cancelled'] },
    admin: { pending: ['paid', 'cancelled'], paid: ['shipped', 'cancelled'], shipped: ['completed'] },
    stranger: {},
  };
  const everyStatus: Status[] = ['pending', 'paid', 'shipped', 'completed', 'cancelled'];

  test.each(everyStatus)('from %s', async (from) => {
    for (const [party, steps] of Object.entries(allowed)) {
      const by = { buyer, seller, admin, stranger }[party] as TestUser;
      const ever = new Set(Object.values(steps).flat());
      for (const to of everyStatus) {
        const { id } = await anOrderThatIs(from);
        const expected = steps[from]?.includes(to) ? 204 : ever.has(to) ? 409 : 403;
        const response = await patch(by, id, to);
        expect([party, from, to, response.status]).toEqual([party, from, to, expected]);
        if (expected === 409) {
          const allowedFrom = everyStatus.filter((status) => steps[status]?.includes(to));
          expect(response.body).toMatchObject({
            code: 'invalid_transition',
            detail: `You can set a transaction to ${to} only while it is ${allowedFrom.join(' or ')}. This one is ${from}.`,
          });
        }
        expect((await show(id)).transaction.status).toBe(expected === 204 ? to : from);
      }
    }
  });

  test('responds 404 to an unknown id; 400 to a missing or unknown status and to unknown fields', async () => {
    const { id } = await anOrder();
    await patch(admin, 999_999_999, 'paid').expect(404);
    await patch(admin, id, 'lost').expect(400);
    for (const body of [{}, { status: null }, { status: 'paid', total: 1 }, ['paid']]) {
      await here.http.patch(`${PATH}/${id}`).set(admin.auth).send(body).expect(400);
    }
    await here.http.patch(`${PATH}/${id}`).send({ status: 'cancelled' }).expect(401);
  });

  test('a seller who buys from their own store has the rights of both roles', async () => {
    const { id: address_id } = await anAddress(seller);
    const product = await aProduct({ store });
    const items = [{ product_id: product.id, quantity: 1 }];
    const { body } = await here.http.post(PATH).set(seller.auth).send({ address_id, items }).expect(201);
    await patch(admin, body.id, 'paid').expect(204);
    await patch(seller, body.id, 'cancelled').expect(204);
  });
});

describe('history', () => {
  test('lists who made each change, from and to which status, oldest first', async () => {
    const { id } = await anOrder();
    expect((await show(id)).history).toEqual([]);
    await patch(admin, id, 'paid').expect(204);
    await patch(seller, id, 'shipped').expect(204);
    await patch(buyer, id, 'cancelled').expect(409);
    const changed_at = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect((await show(id, seller)).history).toEqual([
      { from: 'pending', to: 'paid', changed_by: admin.id, changed_at },
      { from: 'paid', to: 'shipped', changed_by: seller.id, changed_at },
    ]);
  });

  test("deleting or editing an address does not change the order's copy", async () => {
    const { id } = await anOrder();
    const { transaction } = await show(id);
    await write("UPDATE addresses SET address = 'Elsewhere', city = 'Nowhere' WHERE id = ?", [transaction.address_id]);
    expect((await show(id)).transaction).toEqual(transaction);
    await write('DELETE FROM addresses WHERE id = ?', [transaction.address_id]);
    expect((await show(id)).transaction).toEqual({ ...transaction, address_id: null });
  });
});

describe('cancelling', () => {
  test('restocks each line and records it', async () => {
    const { id, products } = await anOrder([
      { stock: 10, quantity: 3 },
      { stock: 5, quantity: 5 },
    ]);
    expect(await Promise.all(products.map(stockOf))).toEqual([7, 0]);
    await patch(buyer, id, 'cancelled').expect(204);
    expect(await Promise.all(products.map(stockOf))).toEqual([10, 5]);
    const movements = await movementsOf(id);
    expect(movements).toHaveLength(2);
    expect(movements).toEqual(
      expect.arrayContaining([
        { product_id: products[0], reason: 'cancellation', quantity: 3 },
        { product_id: products[1], reason: 'cancellation', quantity: 5 },
      ]),
    );
  });

  test('fifty concurrent cancellations restock once', async () => {
    const { id, products } = await anOrder();
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        retryWhileBusy(() =>
          patch([buyer, seller, admin][index % 3] as TestUser, id, 'cancelled', index % 2 ? here : there),
        ),
      ),
    );
    const statuses = responses.map(({ status }) => status).sort();
    expect(statuses).toEqual([204, ...Array(49).fill(409)]);
    expect(await stockOf(products[0] as number)).toBe(10);
    expect((await show(id)).history).toHaveLength(1);
  });

  test('of a concurrent shipment and cancellation exactly one succeeds, and the stock matches it', async () => {
    for (let round = 0; round < 30; round += 1) {
      const { id, products } = await anOrder();
      await patch(admin, id, 'paid').expect(204);
      const both = [() => patch(seller, id, 'shipped', here), () => patch(admin, id, 'cancelled', there)];
      const [a, b] = await Promise.all((round % 2 ? both : both.reverse()).map((send) => retryWhileBusy(send)));
      expect([a?.status, b?.status].sort()).toEqual([204, 409]);
      const { status } = (await show(id)).transaction;
      expect(await stockOf(products[0] as number)).toBe(status === 'cancelled' ? 10 : 7);
    }
  });

  test('skips a deleted product and restocks the others', async () => {
    const { id, products } = await anOrder([
      { stock: 10, quantity: 3 },
      { stock: 5, quantity: 5 },
    ]);
    await write('DELETE FROM products WHERE id = ?', [products[0] as number]);
    await patch(seller, id, 'cancelled').expect(204);
    expect(await stockOf(products[1] as number)).toBe(5);
    expect(await movementsOf(id)).toEqual([{ product_id: products[1], reason: 'cancellation', quantity: 5 }]);
  });

  test('restocks on top of the largest stock that a seller can set', async () => {
    const { id, products } = await anOrder();
    await write('UPDATE products SET stock = 2147483647 WHERE id = ?', [products[0] as number]);
    await patch(buyer, id, 'cancelled').expect(204);
    expect(await stockOf(products[0] as number)).toBe(2_147_483_650);
  });

  test('concurrent baskets in opposite order and cancellations cause no deadlock, and the stock adds up', async () => {
    const products = await Promise.all(Array.from({ length: 5 }, () => aProduct({ store, stock: 1000 })));
    const { id: address_id } = await anAddress(buyer);
    const basket = (turn: number) =>
      products.map(({ id }) => ({ product_id: id, quantity: 1 })).sort(() => (turn % 2 ? 1 : -1));
    const responses = await Promise.all(
      Array.from({ length: 60 }, async (_, turn) => {
        const app = turn % 2 ? here : there;
        const order = { address_id, items: basket(turn) };
        const bought = await retryWhileBusy(() => app.http.post(PATH).set(buyer.auth).send(order));
        if (turn % 3) return bought.status;
        return (await retryWhileBusy(() => patch(buyer, bought.body.id, 'cancelled', app))).status;
      }),
    );
    expect([...new Set(responses)].sort()).toEqual([201, 204]);
    expect(await Promise.all(products.map(({ id }) => stockOf(id)))).toEqual(Array(5).fill(1000 - 40));
  });
});

describe('an unpaid order', () => {
  const expiryJob = (app: TestApp, now = () => Date.now()) => {
    const ctx = { ...app.resources, orderMetrics: createOrderMetrics(createMetrics('transaction')) };
    const unpaid = createUnpaidOrders(app.resources.metrics, 30, now);
    return (stopping?: AbortSignal) => cancelUnpaidOrders(ctx, unpaid, stopping);
  };
  const expire = (app: TestApp) => expiryJob(app)();
  const age = (id: number, minutes: number) =>
    write('UPDATE transactions SET created_at = NOW(3) - INTERVAL ? MINUTE WHERE id = ?', [minutes, id]);

  test('is cancelled once by the first replica and restocked; younger and paid orders are not', async () => {
    const [late, young, paid] = [await anOrder(), await anOrder(), await anOrder()];
    await patch(admin, paid.id, 'paid').expect(204);
    await Promise.all([age(late.id, 31), age(young.id, 29), age(paid.id, 600)]);
    await Promise.all([expire(here), expire(there), expire(here), expire(there)]);
    expect(await stockOf(late.products[0] as number)).toBe(10);
    expect((await show(late.id)).history).toEqual([
      { from: 'pending', to: 'cancelled', changed_by: null, changed_at: expect.any(String) },
    ]);
    expect((await show(young.id)).transaction.status).toBe('pending');
    expect((await show(paid.id)).transaction.status).toBe('paid');
  });

  /** Unpaid for an hour, inserted without a checkout. */
  async function oldOrdersOf(product: { id: number }, count: number): Promise<number[]> {
    const ids: number[] = [];
    for (let index = 0; index < count; index += 1) {
      const id = await write(
        `INSERT INTO transactions
           (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total, created_at)
         VALUES (?, ?, '', '', '', '', 10, NOW(3) - INTERVAL 1 HOUR)`,
        [buyer.id, store.id],
      );
      await write(
        `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity)
         VALUES (?, ?, 'A Product', 10, 1)`,
        [id, product.id],
      );
      ids.push(id);
    }
    return ids;
  }
  const statusOf = async (id: number) =>
    (await rows<{ status: Status }>('SELECT status FROM transactions WHERE id = ?', [id]))[0]?.status;
  const failures = async (app: TestApp) => {
    const metric = app.resources.metrics.registry.getSingleMetric('unpaid_order_cancel_failures_total');
    const { values } = (await metric?.get()) ?? { values: [] };
    return Object.fromEntries(
      values.filter(({ value }) => value > 0).map(({ labels, value }) => [labels.reason, value]),
    );
  };

  test('is cancelled although more than a page of older ones cannot be; those are retried later', async () => {
    const app = await startApp(transactionService);
    let time = Date.now();
    const run = expiryJob(app, () => time);
    const [locked, full] = [await aProduct({ store }), await aProduct({ store })];
    await write('UPDATE products SET stock = 9223372036854775807 WHERE id = ?', [full.id]);
    const stuck = [...(await oldOrdersOf(full, 1)), ...(await oldOrdersOf(locked, 101))];
    const good = await anOrder();
    await age(good.id, 31);
    const lock = await lockedRow('products', locked.id);
    await run();
    expect(await statusOf(good.id)).toBe('cancelled');
    expect(await Promise.all(stuck.map(statusOf))).toEqual(Array(102).fill('pending'));
    expect(await failures(app)).toEqual({ out_of_range: 1, database_busy: 101 });

    await lock.release();
    await run();
    expect(await failures(app)).toEqual({ out_of_range: 1, database_busy: 101 });
    time += 10 * 60_000;
    await write('UPDATE products SET stock = 10 WHERE id = ?', [full.id]);
    await run();
    expect(await Promise.all(stuck.map(statusOf))).toEqual(Array(102).fill('cancelled'));
    expect(await stockOf(locked.id)).toBe(10 + 101);
    await app.close();
  });

  test('is not cancelled once the service stops', async () => {
    const { id } = await anOrder();
    await age(id, 31);
    await expiryJob(here)(AbortSignal.abort());
    expect(await statusOf(id)).toBe('pending');
    await expire(here);
  });

  test('is only cancelled if the setting is not 0', async () => {
    const withTtl = await startApp(transactionService, { PENDING_ORDER_TTL_MINUTES: '5' });
    const jobs = (app: TestApp) => app.jobs.map(({ name }) => name);
    try {
      expect(jobs(withTtl)).toContain('cancel_unpaid_orders');
      expect(jobs(here)).not.toContain('cancel_unpaid_orders');
    } finally {
      await withTtl.close();
    }
  });
});

describe('the ledger', () => {
  const verify = () => verifyStock(here.resources.db);

  test('reports a product whose stock was changed directly, and orders restocked twice or not at all', async () => {
    const sound = await anOrder([{ stock: 10, quantity: 4 }]);
    await patch(buyer, sound.id, 'cancelled').expect(204);
    const changed = await anOrder();
    await write('UPDATE products SET stock = stock + 1 WHERE id = ?', [changed.products[0] as number]);
    const notBack = await anOrder();
    await write("UPDATE transactions SET status = 'cancelled' WHERE id = ?", [notBack.id]);
    const wronglyBack = await anOrder();
    await write(
      "INSERT INTO stock_movements (product_id, transaction_id, reason, quantity) VALUES (?, ?, 'cancellation', 3)",
      [wronglyBack.products[0] as number, wronglyBack.id],
    );
    const report = await verify();
    const products = report.mismatches.map(({ productId }) => productId);
    expect(products).toEqual(expect.arrayContaining([changed.products[0], wronglyBack.products[0]]));
    expect(products).not.toContain(sound.products[0]);
    expect(products).not.toContain(notBack.products[0]);
    expect(report.mismatches.find(({ productId }) => productId === changed.products[0])).toMatchObject({
      initial: 10n,
      sold: 3n,
      cancelled: 0n,
      stock: 8n,
    });
    const orders = report.restockFaults.map(({ transactionId }) => transactionId);
    expect(orders).toEqual(expect.arrayContaining([notBack.id, wronglyBack.id]));
    expect(orders).not.toContain(sound.id);
  });

  test('reports orders whose total is not the sum of their lines', async () => {
    const sound = await anOrder();
    const cut = await anOrder();
    await write('UPDATE product_logs SET quantity = 2 WHERE transaction_id = ?', [cut.id]);
    const empty = await anOrder();
    await write('DELETE FROM product_logs WHERE transaction_id = ?', [empty.id]);
    expect(await show(empty.id)).toMatchObject({ transaction: { id: empty.id }, logs: [] });
    const { totalFaults } = await verify();
    expect(totalFaults).toEqual(
      expect.arrayContaining([
        { transactionId: cut.id, total: 3000n, lineTotal: 2000n },
        { transactionId: empty.id, total: 3000n, lineTotal: 0n },
      ]),
    );
    expect(totalFaults.map(({ transactionId }) => transactionId)).not.toContain(sound.id);
  });

  test('makes the metric greater than 0', async () => {
    const job = here.jobs.find(({ name }) => name === 'verify_stock');
    const { id } = await aProduct({ store, stock: 5 });
    await write('UPDATE products SET stock = 4 WHERE id = ?', [id]);
    await job?.run();
    const { text } = await here.http.get('/metrics').expect(200);
    const value = Number(/^stock_ledger_mismatches\{.*\} (\d+)$/m.exec(text)?.[1]);
    expect(value).toBeGreaterThan(0);
  });
});
