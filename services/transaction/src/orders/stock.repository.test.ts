import { aProduct, rows, startApp, type TestApp } from '@shop/testing';
import { transactionService } from '@shop/transaction';
import { repositories } from '../repositories';

// The checkout decides on locked rows and takes stock under a condition: either alone would do, so each has its own test.
let app: TestApp;
beforeAll(async () => {
  app = await startApp(transactionService);
});
afterAll(() => app.close());

const stockOf = async (id: number) =>
  (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]))[0]?.stock;

test('takes what is there, leaves what is not, and says how many lines it took', async () => {
  const [full, short] = [await aProduct({ stock: 5 }), await aProduct({ stock: 4 })];
  const lines = [full, short].map(({ id }) => ({ productId: id, quantity: 5 }));
  expect(await repositories(app.resources.db).stock.take(lines)).toBe(1);
  expect([await stockOf(full.id), await stockOf(short.id)]).toEqual([0, 4]);
});

test('keeps products locked until the transaction ends', async () => {
  const { id } = await aProduct({ stock: 5 });
  const peek = () => rows(`SELECT id FROM products WHERE id = ${id} FOR UPDATE NOWAIT`);
  await app.resources.db.transaction(async (sql) => {
    await repositories(sql).stock.lockProducts([{ productId: id, quantity: 1 }]);
    await expect(peek()).rejects.toThrow(/lock/i);
  });
  expect(await peek()).toEqual([{ id }]);
});
