import type { Sql } from '@shop/core/db';
import {
  aDatabase,
  adHoc,
  aFreshDatabase,
  aProduct,
  closeDatabases,
  rows,
  startApp,
  type TestApp,
} from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { lockProducts, takeStock } from './checkout.sql';
import { putStockBack } from './statuses.sql';

// The checkout validates on locked rows and also takes stock conditionally. Either would suffice, so each has its own test.
let app: TestApp;
beforeAll(async () => {
  app = await startApp(transactionService);
});
afterAll(() => Promise.all([app.close(), closeDatabases()]));

const stockOf = async (id: number) =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]))[0]?.stock;

test('takes stock only for lines with enough stock and returns how many lines it took', async () => {
  const [full, short] = [await aProduct({ stock: 5 }), await aProduct({ stock: 4 })];
  const lines = [full, short].map(({ id }) => ({ productId: id, quantity: 5 }));
  expect(await takeStock(app.resources.db, lines)).toBe(1);
  expect([await stockOf(full.id), await stockOf(short.id)]).toEqual([0, 4]);
});

test('takes quantities beyond 31 bits exactly', async () => {
  const product = await aProduct({ stock: 5_000_000_000 });
  expect(await takeStock(app.resources.db, [{ productId: product.id, quantity: 4_294_967_293 }])).toBe(1);
  expect(await stockOf(product.id)).toBe(705_032_707);
});

test('keeps products locked until the database transaction ends', async () => {
  const { id } = await aProduct({ stock: 5 });
  const peek = () => rows(`SELECT id FROM products WHERE id = ${id} FOR UPDATE NOWAIT`);
  await app.resources.db.transaction(async (sql) => {
    await lockProducts(sql, [{ productId: id, quantity: 1 }]);
    await expect(peek()).rejects.toThrow(/lock/i);
  });
  expect(await peek()).toEqual([{ id }]);
});

// Without an index hint MySQL scans small tables, and an update locks every row that it scans.
test('in a shop with few products, a basket does not lock the products of another', async () => {
  const few = aDatabase({ DB_NAME: await aFreshDatabase() });
  const { insertId: owner } = await few.db.write(
    adHoc(
      `INSERT INTO users (name, email, phone, password_hash) VALUES ('Ada', 'ada@example.com', '+4912345678', '-')`,
    ),
  );
  const { insertId: store } = await few.db.write(
    adHoc('INSERT INTO stores (user_id, name) VALUES (?, ?)', [owner, 'Mugs']),
  );
  const { insertId: first } = await few.db.write(
    adHoc(
      `INSERT INTO products (store_id, name, description, price, stock)
     VALUES (?, 'a', '', 1, 9), (?, 'b', '', 1, 9), (?, 'c', '', 1, 9), (?, 'd', '', 1, 9)`,
      [store, store, store, store],
    ),
  );
  const { insertId: order } = await few.db.write(
    adHoc(
      `INSERT INTO transactions (user_id, store_id, ship_label, ship_address, ship_city, ship_postal_code, total)
     VALUES (?, ?, '', '', '', '', 1)`,
      [owner, store],
    ),
  );
  await few.db.write(
    adHoc(
      `INSERT INTO product_logs (transaction_id, product_id, product_name, product_price, quantity) VALUES (?, ?, 'b', 1, 1)`,
      [order, first + 1],
    ),
  );
  const inTheWay = async (work: (sql: Sql) => Promise<unknown>): Promise<number[]> => {
    const locked: number[] = [];
    await few.db.transaction(async (sql) => {
      await work(sql);
      for (const id of [first, first + 1, first + 2, first + 3])
        await few.db
          .rows(adHoc('SELECT id FROM products WHERE id = ? FOR UPDATE NOWAIT', [id]))
          .catch(() => locked.push(id));
    });
    return locked;
  };
  const line = { productId: first + 1, quantity: 1 };
  expect(await inTheWay((sql) => lockProducts(sql, [line]))).toEqual([first + 1]);
  expect(await inTheWay((sql) => takeStock(sql, [line]))).toEqual([first + 1]);
  expect(await inTheWay((sql) => putStockBack(sql, order, 'wait'))).toEqual([first + 1]);
});
