import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Sql } from '@shop/core/db';
import { startMysql, withConnection } from '@shop/test-servers';
import {
  aDatabase,
  adHoc,
  aGate,
  aProduct,
  aStore,
  closeDatabases,
  connectionId,
  countsBy,
  eventually,
  lockedRow,
  retries,
  rows,
} from '@shop/testing';

afterAll(closeDatabases);

const take = (sql: Sql, { id }: { id: number }) =>
  sql.write(adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [id]));
const stockOf = async ({ id }: { id: number }): Promise<number> => {
  const [row] = await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [id]);
  return Number(row?.stock);
};

describe('a deadlock', () => {
  it('of two transactions in opposite lock order: both commit exactly once', async () => {
    const [one, two] = [await aProduct({ stock: 10 }), await aProduct({ stock: 10 })];
    const shop = aDatabase();
    const bothLocked = aGate();
    let locked = 0;
    const basket = (first: { id: number }, second: { id: number }) =>
      shop.db.transaction(async (sql) => {
        await take(sql, first);
        locked += 1;
        if (locked === 2) bothLocked.open();
        await bothLocked.passed;
        await take(sql, second);
      });
    await Promise.all([basket(one, two), basket(two, one)]);
    expect([await stockOf(one), await stockOf(two)]).toEqual([8, 8]);
    expect(await retries(shop)).toEqual({ deadlock: 1 });
  });

  /**
   * Every attempt of the transaction deadlocks with a rival. The rival changed more rows, so InnoDB rolls back the
   * attempt.
   */
  async function alwaysDeadlocked(swallow: boolean) {
    const store = await aStore();
    const [mine, theirs] = [await aProduct({ store, stock: 10 }), await aProduct({ store, stock: 10 })];
    const ballast = await Promise.all(Array.from({ length: 30 }, () => aProduct({ store })));
    const shop = aDatabase();
    const rival = aDatabase();
    const rivals: Promise<unknown>[] = [];
    let attempts = 0;
    const outcome = await shop.db
      .transaction(async (sql) => {
        attempts += 1;
        const theirsLocked = aGate();
        const myAttempt = aGate();
        await take(sql, mine);
        rivals.push(
          rival.db
            .transaction(async (other) => {
              for (const product of [theirs, ...ballast]) await take(other, product);
              theirsLocked.open();
              await myAttempt.passed;
              await take(other, mine);
              throw new Error('enough');
            })
            .catch(() => undefined),
        );
        await theirsLocked.passed;
        myAttempt.open();
        await take(sql, theirs).catch((error: unknown) => {
          if (!swallow) throw error;
        });
      })
      .catch((error: unknown) => error);
    await Promise.all(rivals);
    return { outcome, attempts, stock: [await stockOf(mine), await stockOf(theirs)], again: await retries(shop), shop };
  }

  it('on every attempt: three retries, then 503, and nothing is written', async () => {
    const { outcome, attempts, stock, again, shop } = await alwaysDeadlocked(false);
    expect(outcome).toMatchObject({ code: 'database_busy', kind: 'unavailable' });
    expect([attempts, again]).toEqual([4, { deadlock: 3 }]);
    expect(stock).toEqual([10, 10]);
    expect(await countsBy('code', shop.metrics, 'db_errors_total')).toEqual({ database_busy: 1 });
  });

  it('whose error the work swallows does not commit the statements after it', async () => {
    const { outcome, stock } = await alwaysDeadlocked(true);
    expect(outcome).toMatchObject({ code: 'database_busy' });
    expect(stock).toEqual([10, 10]);
  });
});

/** With innodb_autoinc_lock_mode=1, MariaDB's default, an INSERT … SELECT locks the table's counter until its end. */
it('a deadlock over the counter of an AUTO_INCREMENT column is retried', async () => {
  const dir = process.env.SHOP_TEST_DIR ?? '';
  const mysql = await startMysql({
    dir: path.join(dir, `counter-${randomUUID()}`),
    templates: path.join(dir, 'templates'),
    superuser: true,
    extraArgs: ['--innodb-autoinc-lock-mode=1'],
    dieWithParent: true,
  });
  const { port, user, password, database } = mysql;
  const shop = aDatabase({ DB_PORT: String(port), DB_USER: user, DB_PASS: password, DB_NAME: database });
  try {
    for (const table of ['counted', 'source']) {
      await shop.db.write(adHoc(`CREATE TABLE ${table} (id INT AUTO_INCREMENT PRIMARY KEY, n INT) ENGINE = InnoDB`));
    }
    await shop.db.write(adHoc(`INSERT INTO source (n) VALUES ${Array.from({ length: 30 }, () => '(1)').join()}`));
    const [rivalReady, rowLocked] = [aGate(), aGate()];
    let rivalWaits = false;
    const rival = withConnection(mysql.settings, 60_000, async (connection) => {
      await connection.query('START TRANSACTION');
      // It has changed more rows, so InnoDB rolls back the other transaction.
      await connection.query('UPDATE source SET n = n + 1 WHERE id < 20');
      rivalReady.open();
      await rowLocked.passed;
      await connection.query('INSERT INTO counted (n) SELECT n FROM source');
      await connection.query('COMMIT');
    });
    await rivalReady.passed;
    await shop.db.transaction(async (sql) => {
      await sql.write(adHoc('UPDATE source SET n = n + 1 WHERE id = 30'));
      rowLocked.open();
      await eventually('the rival to wait for row 30', async () => {
        const free = await shop.db.row(adHoc('SELECT id FROM source WHERE id = 29 FOR UPDATE SKIP LOCKED'));
        rivalWaits ||= free === undefined;
        return rivalWaits;
      });
      await sql.write(adHoc('INSERT INTO counted (n) VALUES (0)'));
    });
    await rival;
    expect(await shop.db.row(adHoc('SELECT COUNT(*) AS count FROM counted'))).toEqual({ count: 31 });
    expect(await retries(shop)).toEqual({ deadlock: 1 });
  } finally {
    await closeDatabases();
    await mysql.stop();
  }
});

describe('a lock held by another transaction', () => {
  it('for longer than one attempt is acquired by the retry', async () => {
    const product = await aProduct({ stock: 10 });
    const shop = aDatabase();
    const rival = await lockedRow('products', product.id);
    let attempts = 0;
    await shop.db.transaction(async (sql) => {
      attempts += 1;
      if (attempts === 2) await rival.release();
      await take(sql, product);
    });
    expect([attempts, await stockOf(product)]).toEqual([2, 9]);
    expect(await retries(shop)).toEqual({ lock_wait_timeout: 1 });
  });

  it('and never released: 503 instead of a wait of 50 s, and earlier writes are rolled back', async () => {
    const [mine, locked] = [await aProduct({ stock: 10 }), await aProduct({ stock: 10 })];
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    const rival = await lockedRow('products', locked.id);
    const connection = await connectionId(shop.db);
    const waiting = shop.db.transaction(async (sql) => {
      await take(sql, mine);
      // InnoDB rolls back only the statement. A commit now would keep half of the work.
      await take(sql, locked).catch(() => undefined);
    });
    await expect(waiting).rejects.toMatchObject({ code: 'database_busy' });
    expect(await connectionId(shop.db)).toBe(connection);
    expect([await stockOf(mine), await stockOf(locked)]).toEqual([10, 10]);
    expect(await retries(shop)).toEqual({ lock_wait_timeout: 1 });
    await rival.release();
    await shop.db.transaction((sql) => take(sql, locked));
    expect(await stockOf(locked)).toBe(9);
  });

  it('late in a transaction, so that the wait passes the deadline: 503, and the connection is kept', async () => {
    const [first, second] = [await aProduct({ stock: 10 }), await aProduct({ stock: 10 })];
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    const connection = await connectionId(shop.db);
    const rival = await lockedRow('products', second.id);
    const waiting = shop.db.transaction(async (sql) => {
      await take(sql, first);
      // Most of the time is used up when the wait for the second lock begins.
      await sql.rows(adHoc('SELECT SLEEP(1.9)'));
      await take(sql, second);
    });
    await expect(waiting).rejects.toMatchObject({ code: 'database_busy' });
    await eventually('the connection to be free', () => shop.db.stats().idle === 1);
    expect(await connectionId(shop.db)).toBe(connection);
    expect([await stockOf(first), await stockOf(second)]).toEqual([10, 10]);
    await rival.release();
    await shop.db.transaction((sql) => take(sql, first));
    expect(await stockOf(first)).toBe(9);
  });

  it('and needed by a single statement: 503 too', async () => {
    const product = await aProduct({ stock: 10 });
    const rival = await lockedRow('products', product.id);
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const connection = await connectionId(db);
    await expect(take(db, product)).rejects.toMatchObject({ code: 'database_busy' });
    expect(await connectionId(db)).toBe(connection);
    await rival.release();
    expect(await stockOf(product)).toBe(10);
  });
});
