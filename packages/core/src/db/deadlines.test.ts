import { mayHaveBeenWritten } from '@shop/core/db';
import { errorCode } from '@shop/core/errors';
import {
  aDatabase,
  adHoc,
  aProduct,
  closeDatabases,
  connectionId,
  countsBy,
  eventually,
  rows,
  startApp,
  startProxy,
  statementService,
  type TcpProxy,
} from '@shop/testing';

afterAll(closeDatabases);

/** The statement that runs on this connection; undefined once the connection is closed. */
async function statementOn(id: number): Promise<string | null | undefined> {
  const list = await rows<{ id: number; info: string | null }>(
    'SELECT ID AS id, INFO AS info FROM information_schema.processlist',
  );
  return list.find((process) => Number(process.id) === id)?.info;
}

describe('a statement that takes too long', () => {
  const SLOW_READ = `WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    SELECT COUNT(*) AS count FROM n a JOIN n b JOIN n c`;

  it('(a read) is stopped by the server: query_timeout, counted, and its connection is reused', async () => {
    const { db, metrics } = aDatabase({ DB_POOL_SIZE: '1' });
    const first = await connectionId(db);
    await expect(db.rows(adHoc(SLOW_READ))).rejects.toMatchObject({ code: 'query_timeout', kind: 'unavailable' });
    expect(await connectionId(db)).toBe(first);
    expect(await countsBy('code', metrics, 'db_errors_total')).toEqual({ query_timeout: 1 });
  });

  it('gives the client a 503 without Retry-After, as documented in OpenAPI', async () => {
    const app = await startApp(statementService(SLOW_READ));
    const response = await app.http.get('/thing');
    expect([response.status, response.body.code, response.get('retry-after')]).toEqual([
      503,
      'query_timeout',
      undefined,
    ]);
    const { body: document } = await app.http.get('/openapi.json');
    const name = document.paths['/thing'].get.responses['503'].$ref.split('/').at(-1);
    const described = document.components.responses[name].description;
    for (const code of ['database_unavailable', 'database_busy', 'query_timeout']) expect(described).toContain(code);
    await app.close();
  });

  it('(a write) is 503, reports whether it may have been committed, and soon releases its lock', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    const first = await connectionId(db);
    const slow = db.write(adHoc('UPDATE products SET stock = stock - 1 - SLEEP(60) WHERE id = ?', [product.id]));
    const outcome = await slow.catch((error: unknown) => error);
    // MariaDB stops it and rolls it back. MySQL limits only reads, so there it may complete.
    const stopped = errorCode(outcome) === 'query_timeout';
    expect(outcome).toMatchObject({ kind: 'unavailable' });
    expect(mayHaveBeenWritten(outcome)).toBe(!stopped);
    await eventually('the statement to end', async () => !(await statementOn(first))?.includes('SLEEP'));
    expect((await db.write(adHoc('UPDATE products SET stock = 5 WHERE id = ?', [product.id]))).affectedRows).toBe(1);
  });

  it('(in a transaction) rolls back the transaction', async () => {
    const product = await aProduct({ stock: 10 });
    const { db } = aDatabase({ DB_POOL_SIZE: '1' });
    let attempts = 0;
    const slow = db.transaction(async (sql) => {
      attempts += 1;
      await sql.write(adHoc('UPDATE products SET stock = 0 WHERE id = ?', [product.id]));
      await sql.rows(adHoc(SLOW_READ));
    });
    await expect(slow).rejects.toMatchObject({ kind: 'unavailable' });
    expect(attempts).toBe(1);
    await eventually('its lock to be released', () =>
      db.write(adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [product.id])).catch(() => false),
    );
    expect(await db.rows(adHoc('SELECT stock FROM products WHERE id = ?', [product.id]))).toEqual([{ stock: 9 }]);
  });
});

describe('a server that is frozen', () => {
  let proxy: TcpProxy;
  beforeEach(async () => {
    proxy = await startProxy({
      host: process.env.SHOP_TEST_DB_HOST ?? '',
      port: Number(process.env.SHOP_TEST_DB_PORT),
    });
  });
  afterEach(async () => {
    await closeDatabases();
    await proxy.close();
  });
  const throughProxy = (size: number) => aDatabase({ DB_PORT: String(proxy.port), DB_POOL_SIZE: String(size) });

  it.each([
    ['a prepared statement', 'SELECT CONNECTION_ID() AS id'],
    ['a statement that is not prepared yet', 'SELECT 1 AS never_asked_before'],
  ])('fails %s at its deadline, and the pool loses no connection', async (_, statement) => {
    const { db } = throughProxy(2);
    await Promise.all([connectionId(db), db.rows(adHoc('SELECT SLEEP(0.1)'))]);
    proxy.freeze();
    const outcomes = await Promise.allSettled([
      db.rows(adHoc(statement)),
      db.rows(adHoc(statement)),
      db.rows(adHoc(statement)),
    ]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    proxy.thaw();
    await Promise.all([db.rows(adHoc('SELECT SLEEP(0.1)')), db.rows(adHoc('SELECT SLEEP(0.1)'))]);
    expect(db.stats()).toEqual({ limit: 2, open: 2, idle: 2, waiting: 0 });
  });

  it.each(['SET autocommit = 0', 'COMMIT', 'ROLLBACK'])(
    'at %s fails the transaction at its deadline',
    async (statement) => {
      const product = await aProduct({ stock: 10 });
      const { db } = throughProxy(1);
      await connectionId(db);
      proxy.toServer = (bytes) => {
        if (bytes.includes(statement)) proxy.freeze();
        return bytes;
      };
      const transaction = db.transaction(async (sql) => {
        await sql.write(adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [product.id]));
        if (statement === 'ROLLBACK') throw new Error('no');
      });
      await expect(transaction).rejects.toMatchObject({ kind: 'unavailable' });
      proxy.toServer = (bytes) => bytes;
      proxy.thaw();
      await db.transaction((sql) =>
        sql.write(adHoc('UPDATE products SET stock = stock - 1 WHERE id = ?', [product.id])),
      );
      // Only a COMMIT that was already sent may have taken effect.
      const [row] = await rows<{ stock: number }>('SELECT stock FROM products WHERE id = ?', [product.id]);
      expect(row?.stock).toBe(statement === 'COMMIT' ? 8 : 9);
    },
  );

  it('while a connection is being opened gives 503 too', async () => {
    const { db } = throughProxy(1);
    proxy.freeze();
    await expect(db.rows(adHoc('SELECT 1'))).rejects.toMatchObject({ kind: 'unavailable' });
    proxy.thaw();
    expect(await db.rows(adHoc('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
  });

  it('does not keep clients waiting: 503, and /ready fails', async () => {
    const app = await startApp(statementService('SELECT 2'), { DB_PORT: String(proxy.port) });
    expect((await app.http.get('/ready')).status).toBe(200);
    proxy.freeze();
    const [thing, ready] = await Promise.all([app.http.get('/thing'), app.http.get('/ready')]);
    expect([thing.status, thing.get('retry-after'), ready.status]).toEqual([503, '1', 503]);
    proxy.thaw();
    await eventually('the service to be ready', async () => (await app.http.get('/ready')).status === 200);
    expect((await app.http.get('/thing')).status).toBe(204);
    await app.close();
  });
});
