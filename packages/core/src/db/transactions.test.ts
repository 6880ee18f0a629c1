import { mayHaveBeenWritten, type Sql } from '@shop/core/db';
import { databaseBusy } from '@shop/core/errors';
import {
  aDatabase,
  adHoc,
  aGate,
  aProduct,
  closeDatabases,
  connectionId,
  eventually,
  rows,
  startProxy,
  type TcpProxy,
} from '@shop/testing';

afterAll(closeDatabases);

const stockOf = async (id: number): Promise<number> => {
  const [row] = await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]);
  return Number(row?.stock);
};
const take = (sql: Sql, id: number, count = 1) =>
  sql.write(adHoc('UPDATE products SET stock = stock - ? WHERE id = ?', [count, id]));
const refused = new Error('rejected by the use case');

describe('a transaction', () => {
  it('that succeeds is visible to others only after its commit, as a whole', async () => {
    const [one, two] = [await aProduct({ stock: 10 }), await aProduct({ stock: 10 })];
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const result = await db.transaction(async (sql) => {
      await take(sql, one.id);
      await take(sql, two.id);
      expect([await stockOf(one.id), await stockOf(two.id)]).toEqual([10, 10]);
      return 'done';
    });
    expect([result, await stockOf(one.id), await stockOf(two.id)]).toEqual(['done', 9, 9]);
  });

  it.each([
    ['the work throws', () => Promise.reject(refused), refused.message],
    ['a statement is invalid', (sql: Sql) => sql.rows(adHoc('SELEKT 1')), 'syntax'],
    [
      'a constraint is violated',
      (sql: Sql) => sql.write(adHoc('INSERT INTO stores (user_id, name) VALUES (0, ?)', ['x'])),
      'foreign key',
    ],
  ])('is rolled back when %s, and its connection is reused', async (_, fail, message) => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    let used = 0;
    const failing = db.transaction(async (sql) => {
      used = await connectionId(sql);
      await take(sql, product.id);
      await fail(sql);
    });
    await expect(failing).rejects.toThrow(message);
    await db.transaction(async (sql) => {
      expect(await connectionId(sql)).toBe(used);
      expect(await sql.rows(adHoc('SELECT stock FROM products WHERE id = ?', [product.id]))).toEqual([{ stock: 10 }]);
    });
    expect(await stockOf(product.id)).toBe(10);
    // It holds no lock any more: another connection can write at once.
    expect((await take(aDatabase().db, product.id)).affectedRows).toBe(1);
    expect(db.stats()).toMatchObject({ open: 1, idle: 1, waiting: 0 });
  });

  it('that has ended rejects further statements', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const ended = aGate();
    let straggler: Promise<unknown> = Promise.resolve();
    const failing = db.transaction(async (sql) => {
      straggler = ended.passed.then(() => take(sql, product.id));
      throw refused;
    });
    await expect(failing).rejects.toThrow(refused);
    ended.open();
    await expect(straggler).rejects.toThrow('after the end of its transaction');
    expect(await stockOf(product.id)).toBe(10);
  });

  it('that never ends is rolled back, and its connection returns to the pool', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const stuck = db.transaction(async (sql) => {
      await take(sql, product.id);
      await new Promise(() => undefined);
    });
    await expect(stuck).rejects.toMatchObject({ code: 'database_busy' });
    await eventually('its lock to be released', async () => (await take(db, product.id, 2)).affectedRows === 1);
    expect(await stockOf(product.id)).toBe(8);
  });
});

describe('a lost connection', () => {
  let proxy: TcpProxy;
  beforeEach(async () => {
    proxy = await startProxy({
      host: process.env.SHOP_TEST_DB_HOST ?? '',
      port: Number(process.env.SHOP_TEST_DB_PORT),
    });
  });
  afterEach(() => proxy.close());

  /** Loses the response to the next statement that contains `text`, once. */
  function loseResponseTo(text: string): void {
    let armed = true;
    let losing = false;
    proxy.toServer = (bytes) => {
      losing = armed && bytes.includes(text);
      if (losing) armed = false;
      return bytes;
    };
    proxy.toClient = (bytes) => {
      const lost = losing;
      losing = false;
      return lost ? undefined : bytes;
    };
  }

  async function takeOverProxy(productId: number): Promise<{ outcome: unknown; attempts: number }> {
    const { db } = aDatabase({ DB_PORT: String(proxy.port), DB_POOL_SIZE: '1' });
    let attempts = 0;
    const outcome = await db
      .transaction(async (sql) => {
        attempts += 1;
        await take(sql, productId);
        return 'done';
      })
      .catch((error: unknown) => error);
    return { outcome, attempts };
  }

  it('during COMMIT, so that its response is lost: 503, and nothing is written twice', async () => {
    const product = await aProduct({ stock: 10 });
    loseResponseTo('COMMIT');
    const { outcome, attempts } = await takeOverProxy(product.id);
    expect(outcome).toMatchObject({ code: 'database_unavailable' });
    expect(mayHaveBeenWritten(outcome)).toBe(true);
    expect([attempts, await stockOf(product.id)]).toEqual([1, 9]);
  });

  it.each(['SET autocommit = 0', 'UPDATE products'])(
    'during %s: the whole transaction runs again and takes effect once',
    async (statement) => {
      const product = await aProduct({ stock: 10 });
      loseResponseTo(statement);
      const { outcome } = await takeOverProxy(product.id);
      expect([outcome, await stockOf(product.id)]).toEqual(['done', 9]);
    },
  );

  it('during a single write: 503, and the write is not retried', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_PORT: String(proxy.port), DB_POOL_SIZE: '1' });
    await take(db, product.id);
    loseResponseTo(String(product.id));
    await expect(take(db, product.id)).rejects.toMatchObject({ code: 'database_unavailable' });
    expect(await stockOf(product.id)).toBe(8);
  });

  it('whose setup failed is never used', async () => {
    const product = await aProduct({ stock: 10 });
    proxy.toServer = (bytes) => Buffer.from(bytes.toString('latin1').replace("'+00:00'", "'+99:00'"), 'latin1');
    const { outcome } = await takeOverProxy(product.id);
    expect(outcome).toMatchObject({ kind: databaseBusy.kind });
    expect(await stockOf(product.id)).toBe(10);
  });
});
