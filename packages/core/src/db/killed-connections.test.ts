import type { Database, Sql } from '@shop/core/db';
import { AppError } from '@shop/core/errors';
import {
  aDatabase,
  adHoc,
  aGate,
  aProduct,
  closeDatabases,
  connectionId,
  eventually,
  retries,
  rows,
} from '@shop/testing';

afterAll(closeDatabases);

/** Ignores a connection that is already gone. */
const kill = (id: number) =>
  rows(`KILL CONNECTION ${id}`).catch((error: { code?: string }) => {
    if (error.code !== 'ER_NO_SUCH_THREAD') throw error;
  });
const take = (sql: Sql, id: number) => sql.write(adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [id]));
/** On a slow machine a call may wait too long for a connection or a lock, and is then to be made again. */
const retriedWhileBusy = async <T>(call: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'database_busy')) throw error;
    }
  }
};
const stockOf = async (id: number): Promise<number> => {
  const [row] = await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]);
  return Number(row?.stock);
};
const runningOn = async (id: number, text: string): Promise<boolean> => {
  const list = await rows<{ id: number; info: string | null }>(
    'SELECT ID AS id, INFO AS info FROM information_schema.processlist',
  );
  return list.some((process) => Number(process.id) === id && process.info?.includes(text));
};

/** The ids of all connections of a pool of three. Holds each connection until all three are open. */
const threeConnections = async (db: Database): Promise<number[]> => {
  const ids = new Set<number>();
  const allHeld = aGate();
  const hold = () =>
    db.transaction(async (sql) => {
      ids.add(await connectionId(sql));
      if (ids.size === 3) allHeld.open();
      await allHeld.passed;
    });
  await Promise.all([hold(), hold(), hold()]);
  return [...ids];
};

describe('a killed connection', () => {
  it('that was idle is replaced without errors, however often', async () => {
    const product = await aProduct({ stock: 100 });
    const { db } = aDatabase({ DB_POOL_SIZE: '3' });
    for (let round = 0; round < 10; round += 1) {
      const ids = await threeConnections(db);
      await Promise.all(ids.map(kill));
      await Promise.all([
        retriedWhileBusy(() => db.rows(adHoc('SELECT 1'))),
        retriedWhileBusy(() => db.transaction((sql) => take(sql, product.id))),
        retriedWhileBusy(() => db.transaction((sql) => take(sql, product.id))),
      ]);
    }
    expect(await stockOf(product.id)).toBe(80);
    await eventually('the stats to be correct', () => db.stats().open <= 3);
  });

  it('during a read: the read is retried', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    const id = await connectionId(shop.db);
    const { id: productId } = await aProduct({ stock: 60 });
    const reading = shop.db.rows(
      adHoc<{ name: string }>("SELECT 'found' AS name FROM products WHERE id = ? AND SLEEP(stock) = 0", [productId]),
    );
    await eventually('the read to run', () => runningOn(id, 'SLEEP(stock)'));
    await rows('UPDATE products SET stock = 0 WHERE id = ?', [productId]); // the next attempt does not sleep
    await kill(id);
    expect(await reading).toEqual([{ name: 'found' }]);
    expect(await retries(shop)).toEqual({ connection_lost: 1 });
  });

  it('in a transaction: the whole transaction runs again and takes effect once', async () => {
    const product = await aProduct({ stock: 10 });
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    let attempts = 0;
    await shop.db.transaction(async (sql) => {
      attempts += 1;
      await take(sql, product.id);
      if (attempts === 1) await kill(await connectionId(sql));
      await take(sql, product.id);
    });
    expect([attempts, await stockOf(product.id)]).toEqual([2, 8]);
    expect(await retries(shop)).toEqual({ connection_lost: 1 });
  });

  it('during a single write: 503, and the write is not retried', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const id = await connectionId(db);
    const writing = db.write(adHoc('UPDATE products SET stock = stock - 1 - SLEEP(60) WHERE id = ?', [product.id]));
    const outcome = expect(writing).rejects.toMatchObject({ kind: 'unavailable' });
    await eventually('the write to run', () => runningOn(id, 'SLEEP(60)'));
    await kill(id);
    await outcome;
    expect(await stockOf(product.id)).toBe(10);
    expect(await connectionId(db)).not.toBe(id);
    expect(db.stats()).toMatchObject({ open: 1, idle: 1 });
  });
});

it('a statement stopped with KILL QUERY is 503, and its connection is reused', async () => {
  const { db } = aDatabase({ DB_POOL_SIZE: '1' });
  const id = await connectionId(db);
  const reading = db.rows(adHoc('SELECT COUNT(*) FROM users WHERE SLEEP(60) = id'));
  const outcome = expect(reading).rejects.toMatchObject({ code: 'database_busy' });
  await eventually('the read to run', () => runningOn(id, 'SLEEP(60)'));
  await rows(`KILL QUERY ${id}`);
  await outcome;
  expect(await connectionId(db)).toBe(id);
});
