import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Sql } from '@shop/core/db';
import { type MysqlServer, startMysql } from '@shop/test-servers';
import {
  aDatabase,
  adHoc,
  aGate,
  aProduct,
  closeDatabases,
  connectionId,
  eventually,
  type Gate,
  rows,
  startApp,
  statementService,
  type TestDatabase,
  write,
} from '@shop/testing';

afterAll(closeDatabases);

/** Keeps `count` connections busy until the gate opens. */
async function occupy({ db }: Pick<TestDatabase, 'db'>, count: number): Promise<Gate & { done: Promise<unknown> }> {
  const gate = aGate();
  const busy = Array.from({ length: count }, () => aGate());
  // allSettled: in a slow test, a COMMIT may miss its deadline.
  const done = Promise.allSettled(
    busy.map((started) =>
      db.transaction(async () => {
        started.open();
        await gate.passed;
      }),
    ),
  );
  await Promise.race([Promise.all(busy.map(({ passed }) => passed)), done]);
  return { ...gate, done };
}

describe('a pool with all connections in use', () => {
  it('reports open and idle connections and waiting callers', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '3' });
    expect(shop.db.stats()).toEqual({ limit: 3, open: 0, idle: 0, waiting: 0 });
    const busy = await occupy(shop, 3);
    expect(shop.db.stats()).toEqual({ limit: 3, open: 3, idle: 0, waiting: 0 });
    const waiting = [connectionId(shop.db), connectionId(shop.db)];
    await eventually('two callers to wait', () => shop.db.stats().waiting === 2);
    const text = await shop.metrics.registry.metrics();
    for (const line of ['limit{service="example"} 3', 'open{service="example"} 3', 'busy{service="example"} 3'])
      expect(text).toContain(`db_pool_connections_${line}`);
    expect(text).toContain('db_pool_waiting{service="example"} 2');
    busy.open();
    await Promise.all([busy.done, ...waiting]);
    expect(shop.db.stats()).toEqual({ limit: 3, open: 3, idle: 3, waiting: 0 });
  });

  it('rejects callers that waited too long, and loses no connection', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '2' });
    const busy = await occupy(shop, 2);
    const outcomes = await Promise.allSettled([connectionId(shop.db), connectionId(shop.db)]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'database_busy', kind: 'unavailable' } });
    expect(shop.db.stats().waiting).toBe(0);
    busy.open();
    await busy.done;
    await eventually('both to be idle', () => shop.db.stats().idle === 2);
    const again = await occupy(shop, 2);
    again.open();
    await again.done;
  });

  describe('gives a connection that a database transaction has used', () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });

    /** In which order a single statement and a database transaction are served that begin to wait in this order. */
    async function servedInOrder(whenBothWait: () => Promise<unknown>): Promise<string[]> {
      const busy = await occupy({ db }, 1);
      const served: string[] = [];
      const both = [
        connectionId(db).then(() => served.push('statement')),
        db.transaction(async () => void served.push('transaction')),
      ];
      await whenBothWait();
      busy.open();
      await Promise.all([busy.done, ...both]);
      return served;
    }

    it('to another one before a single statement', async () => {
      const inMode = ['transaction', 'statement'];
      // On a slow machine, the statement may have waited for too long.
      await eventually('it', async () => isDeepStrictEqual(await servedInOrder(() => Promise.resolve()), inMode));
    });

    it('to the single statement if that has waited for long', async () => {
      const longWait = () => eventually('a long wait', () => db.waitMs() > 50);
      expect(await servedInOrder(longWait)).toEqual(['statement', 'transaction']);
    });
  });

  it('rejects a caller at once if the queue is full', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    const busy = await occupy(shop, 1);
    let served = 0;
    const queued = Array.from({ length: 30 }, () => connectionId(shop.db).then(() => (served += 1)));
    await expect(connectionId(shop.db)).rejects.toMatchObject({ code: 'database_busy' });
    expect([served, shop.db.stats().waiting]).toEqual([0, 30]);
    busy.open();
    await Promise.all([busy.done, ...queued]);
  });

  it('gives the client a 503 with Retry-After, and the service stays alive', async () => {
    const app = await startApp(statementService('SELECT 1'), { DB_POOL_SIZE: '1' });
    const busy = await occupy(app.resources, 1);
    const response = await app.http.get('/thing');
    expect([response.status, response.body.code, response.get('retry-after')]).toEqual([503, 'database_busy', '1']);
    expect(response.type).toBe('application/problem+json');
    const health = await app.http.get('/health');
    expect(health.body.database).toMatchObject({ limit: 1, open: 1, idle: 0 });
    busy.open();
    await busy.done;
    expect((await app.http.get('/thing')).status).toBe(204);
    await app.close();
  });
});

test('a service whose connections are all busy stays ready as long as the database responds', async () => {
  const app = await startApp(statementService('SELECT SLEEP(0.3)'), { DB_POOL_SIZE: '1' });
  await app.http.get('/ready').expect(200);
  const busy = Array.from({ length: 7 }, () => app.http.get('/thing').then(({ status }) => status));
  await eventually('six to wait', () => app.resources.db.stats().waiting === 6);
  await app.http.get('/ready').expect(200);
  await Promise.all(busy);
  await app.close();
});

describe('a connection', () => {
  it('is reused', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    expect(await connectionId(db)).toBe(await connectionId(db));
  });

  it('that has been idle nearly as long as MySQL allows is replaced before use', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const first = await connectionId(db);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 31_000);
    const second = await connectionId(db);
    now.mockRestore();
    expect(second).not.toBe(first);
    expect(await connectionId(db)).toBe(second);
  });

  it('older than the maximum lifetime is replaced before use', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1', DB_CONNECTION_MAX_LIFETIME_SECONDS: '1' });
    const first = await connectionId(db);
    const opened = Date.now();
    await eventually('its lifetime to pass', () => Date.now() - opened > 1100);
    expect(await connectionId(db)).not.toBe(first);
    await eventually('the server to close it', async () => {
      const list = await rows<{ id: number }>('SELECT ID AS id FROM information_schema.processlist');
      return list.every(({ id }) => Number(id) !== first);
    });
    expect(db.stats()).toMatchObject({ open: 1, idle: 1 });
  });

  it('is kept for the next burst, and closed later if more connections are idle than allowed', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '3', DB_POOL_MAX_IDLE: '2' });
    const busy = await occupy(shop, 3);
    busy.open();
    await busy.done;
    const freedAt = Date.now();
    expect(shop.db.stats()).toMatchObject({ open: 3, idle: 3 });
    await eventually('the third to be closed', () => shop.db.stats().open === 2);
    expect(Date.now() - freedAt).toBeGreaterThan(4900);
  });

  it('that has been idle for half a minute is closed, even if as many may be idle as open', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1', DB_POOL_MAX_IDLE: '1' });
    await connectionId(db);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 31_000);
    await eventually('it to be closed', () => db.stats().open === 0);
    now.mockRestore();
  });

  it('serves database transactions and single statements in turn, and each of them as it should', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const product = await aProduct({ stock: 10 });
    const take = adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [product.id]);
    const stock = async () =>
      (await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [product.id]))[0]?.stock;
    for (const expected of [9, 7]) {
      const failing = db.transaction(async (sql) => {
        await sql.write(take);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      await db.write(take);
      expect(await stock()).toBe(expected);
      await db.transaction(async (sql) => {
        await sql.write(take);
        expect(await stock()).toBe(expected);
      });
    }
    // A read outside a database transaction sees what others have committed since the last one.
    expect(await db.rows(adHoc('SELECT stock FROM products WHERE id = ?', [product.id]))).toEqual([{ stock: 6 }]);
    await write('UPDATE products SET stock = 5 WHERE id = ?', [product.id]);
    expect(await db.rows(adHoc('SELECT stock FROM products WHERE id = ?', [product.id]))).toEqual([{ stock: 5 }]);
  });

  it('is not asked to begin a second database transaction after the first', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const questions = async (sql: Sql) =>
      Number((await sql.rows(adHoc<{ Value: string }>("SHOW SESSION STATUS LIKE 'Questions'")))[0]?.Value);
    const ask = () => db.transaction(questions);
    const first = await ask();
    // COMMIT and the question itself.
    expect((await ask()) - first).toBe(2);
  });
});

describe('a server that accepts no more connections', () => {
  it('for this user: callers over the limit get 503, the others are served', async () => {
    const user = `limited_${randomUUID().slice(0, 8)}`;
    await write(`CREATE USER ${user}@'%' IDENTIFIED BY 'password' WITH MAX_USER_CONNECTIONS 2`);
    await write(`GRANT ALL ON *.* TO ${user}@'%'`);
    const shop = aDatabase({ DB_USER: user, DB_PASS: 'password', DB_POOL_SIZE: '4' });
    const busy = await occupy(shop, 2);
    await expect(connectionId(shop.db)).rejects.toMatchObject({ code: 'database_busy' });
    expect(shop.db.stats()).toMatchObject({ open: 2, idle: 0, waiting: 0 });
    busy.open();
    await busy.done;
    expect(await connectionId(shop.db)).toBeGreaterThan(0);
    await shop.db.close();
    await write(`DROP USER ${user}@'%'`);
  });

  describe('at all (max_connections)', () => {
    let mysql: MysqlServer;
    beforeAll(async () => {
      const dir = process.env.SHOP_TEST_DIR ?? '';
      mysql = await startMysql({
        dir: path.join(dir, `full-${randomUUID()}`),
        templates: path.join(dir, 'templates'),
        maxConnections: 10,
        dieWithParent: true,
      });
    });
    afterAll(async () => {
      await closeDatabases();
      await mysql.stop();
    });

    it('rejects callers over the limit, and free connections are used at once', async () => {
      const server = {
        DB_PORT: String(mysql.port),
        DB_USER: mysql.user,
        DB_PASS: mysql.password,
        DB_NAME: mysql.database,
        DB_POOL_SIZE: '20',
      };
      const [crowd, shop] = [aDatabase(server), aDatabase(server)];
      await eventually('only one connection to be open', async () => {
        const [row] = await crowd.db.rows(
          adHoc<{ count: number }>('SELECT COUNT(*) AS count FROM information_schema.processlist'),
        );
        return Number(row?.count) === 1;
      });
      const busy = await occupy(crowd, 10);
      const refused = await Promise.allSettled(Array.from({ length: 5 }, () => connectionId(shop.db)));
      for (const outcome of refused)
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'database_busy', kind: 'unavailable' } });
      expect(shop.db.stats()).toMatchObject({ open: 0, waiting: 0 });
      busy.open();
      await busy.done;
      await crowd.db.close();
      await eventually('a free connection', () => connectionId(shop.db).catch(() => undefined));
    });
  });
});
