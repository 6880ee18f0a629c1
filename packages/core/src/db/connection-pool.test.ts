import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { type MysqlServer, startMysql } from '@shop/fleet';
import {
  aDatabase,
  adHoc,
  aGate,
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
  // Settled: a COMMIT may come after the deadline where the test took long.
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

describe('a pool whose connections are all in use', () => {
  it('tells how many are open, idle and waited for', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '3' });
    expect(shop.db.stats()).toEqual({ limit: 3, open: 0, idle: 0, waiting: 0 });
    const busy = await occupy(shop, 3);
    expect(shop.db.stats()).toEqual({ limit: 3, open: 3, idle: 0, waiting: 0 });
    const waiting = [connectionId(shop.db), connectionId(shop.db)];
    await eventually('two to wait', () => shop.db.stats().waiting === 2);
    const text = await shop.metrics.registry.metrics();
    for (const line of ['limit{service="example"} 3', 'open{service="example"} 3', 'busy{service="example"} 3'])
      expect(text).toContain(`db_pool_connections_${line}`);
    expect(text).toContain('db_pool_waiting{service="example"} 2');
    busy.open();
    await Promise.all([busy.done, ...waiting]);
    expect(shop.db.stats()).toEqual({ limit: 3, open: 3, idle: 3, waiting: 0 });
  });

  it('refuses who has waited too long, and gives nobody’s connection away', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '2' });
    const busy = await occupy(shop, 2);
    const late = await Promise.allSettled([connectionId(shop.db), connectionId(shop.db)]);
    for (const outcome of late)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'database_busy', kind: 'unavailable' } });
    expect(shop.db.stats().waiting).toBe(0);
    busy.open();
    await busy.done;
    await eventually('both to be idle', () => shop.db.stats().idle === 2);
    const again = await occupy(shop, 2);
    again.open();
    await again.done;
  });

  it('refuses at once whom it could not serve in time anyway', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '1' });
    const busy = await occupy(shop, 1);
    let served = 0;
    const queued = Array.from({ length: 30 }, () => connectionId(shop.db).then(() => (served += 1)));
    await expect(connectionId(shop.db)).rejects.toMatchObject({ code: 'database_busy' });
    expect([served, shop.db.stats().waiting]).toEqual([0, 30]);
    busy.open();
    await Promise.all([busy.done, ...queued]);
  });

  it('is 503 with Retry-After to a client, while the service stays alive', async () => {
    const app = await startApp(statementService('SELECT 1'), { DB_POOL_SIZE: '1' });
    const busy = await occupy(app.resources, 1);
    const answer = await app.http.get('/thing');
    expect([answer.status, answer.body.code, answer.get('retry-after')]).toEqual([503, 'database_busy', '1']);
    expect(answer.type).toBe('application/problem+json');
    const health = await app.http.get('/health');
    expect(health.body.database).toMatchObject({ limit: 1, open: 1, idle: 0 });
    busy.open();
    await busy.done;
    expect((await app.http.get('/thing')).status).toBe(204);
    await app.close();
  });
});

describe('a connection', () => {
  it('is used again and again', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    expect(await connectionId(db)).toBe(await connectionId(db));
  });

  it('that has been idle nearly as long as MySQL allows is replaced before it is used', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const first = await connectionId(db);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 31_000);
    const second = await connectionId(db);
    now.mockRestore();
    expect(second).not.toBe(first);
    expect(await connectionId(db)).toBe(second);
  });

  it('older than its longest life is replaced before it is used', async () => {
    const { db } = aDatabase({ DB_POOL_SIZE: '1', DB_CONNECTION_MAX_LIFETIME_SECONDS: '1' });
    const first = await connectionId(db);
    const opened = Date.now();
    await eventually('its life to be over', () => Date.now() - opened > 1100);
    expect(await connectionId(db)).not.toBe(first);
    await eventually('the server to see it gone', async () => {
      const list = await rows<{ id: number }>('SELECT ID AS id FROM information_schema.processlist');
      return list.every(({ id }) => Number(id) !== first);
    });
    expect(db.stats()).toMatchObject({ open: 1, idle: 1 });
  });

  it('is closed after a while where more idle than may, also where all may idle but one', async () => {
    const shop = aDatabase({ DB_POOL_SIZE: '3', DB_POOL_MAX_IDLE: '3' });
    const busy = await occupy(shop, 3);
    busy.open();
    await busy.done;
    expect(shop.db.stats().open).toBe(3);
    await eventually('the third to be closed', () => shop.db.stats().open === 2);
  });
});

describe('a server that takes no more connections', () => {
  it('of this user: 503 to who comes too late, the others are served', async () => {
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

    it('likewise, and places are taken as soon as they are free', async () => {
      const server = {
        DB_PORT: String(mysql.port),
        DB_USER: mysql.user,
        DB_PASS: mysql.password,
        DB_NAME: mysql.database,
        DB_POOL_SIZE: '20',
      };
      const [crowd, shop] = [aDatabase(server), aDatabase(server)];
      await eventually('the crowd to be alone', async () => {
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
      await eventually('a place', () => connectionId(shop.db).catch(() => undefined));
    });
  });
});
