import { aDatabase, adHoc, aStore, aUser, closeDatabases, rows } from '@shop/testing';

const { db } = aDatabase();
afterAll(closeDatabases);

const one = async <T>(expression: string, values: (string | number | bigint | Date)[] = []): Promise<T | undefined> => {
  const [row] = await db.rows(adHoc<{ value: T }>(`SELECT ${expression} AS value`, values));
  return row?.value;
};

describe('numbers', () => {
  it.each(['9999999999.99', '-0.01', '0.10', '90071992547409930.07'])(
    'DECIMAL %s is read as it was written',
    async (text) => {
      expect(await one('CAST(? AS DECIMAL(20,2))', [text])).toBe(text);
    },
  );

  it('a sum of prices is exact', async () => {
    const prices = '(SELECT CAST(0.10 AS DECIMAL(12,2)) AS price UNION ALL SELECT 0.20) AS prices';
    expect(await db.rows(adHoc(`SELECT SUM(price) AS value FROM ${prices}`))).toEqual([{ value: '0.30' }]);
  });

  it.each([9_007_199_254_740_993n, -9_007_199_254_740_993n, 9_223_372_036_854_775_807n])(
    'BIGINT %d is bound and read exactly',
    async (value) => {
      expect(BigInt((await one<string>('CAST(? AS SIGNED)', [value])) ?? 0)).toBe(value);
      expect(await one('CAST(? AS SIGNED) = ?', [value, value + (value > 0n ? -1n : 1n)])).toBe(0);
    },
  );

  it('integers up to 2^53 are read as numbers', async () => {
    expect(await one('CAST(? AS SIGNED)', [2 ** 53 - 1])).toBe(2 ** 53 - 1);
  });

  it('LIMIT and OFFSET can be bound', async () => {
    const numbers = '(SELECT 1 AS n UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) AS numbers';
    const found = await db.rows(adHoc<{ n: number }>(`SELECT n FROM ${numbers} ORDER BY n LIMIT ? OFFSET ?`, [2, 1]));
    expect(found.map(({ n }) => Number(n))).toEqual([2, 3]);
  });

  it('a write returns the number of changed rows and the new id', async () => {
    const user = await aUser();
    const made = await db.write(adHoc('INSERT INTO stores (user_id, name) VALUES (?, ?)', [user.id, 'Made']));
    expect(await rows('SELECT name FROM stores WHERE id = ?', [made.insertId])).toEqual([{ name: 'Made' }]);
    const changed = await db.write(adHoc('UPDATE stores SET name = ? WHERE user_id = ?', ['Changed', user.id]));
    expect(changed.affectedRows).toBe(1);
  });
});

describe('each connection', () => {
  const insertName = async (name: string) => {
    const user = await aUser();
    return db.write(adHoc('INSERT INTO stores (user_id, name) VALUES (?, ?)', [user.id, name]));
  };

  it('stores any character of Unicode', async () => {
    const name = '😀 家 Żółw \u{1F1FA}\u{1F1E6}';
    const { insertId } = await insertName(name);
    expect(
      await db.rows(adHoc('SELECT name, CHAR_LENGTH(name) AS length FROM stores WHERE id = ?', [insertId])),
    ).toEqual([{ name, length: [...name].length }]);
  });

  it('rejects values that do not fit instead of truncating them', async () => {
    await expect(insertName('x'.repeat(5000))).rejects.toMatchObject({ code: 'out_of_range' });
    const store = await aStore();
    await expect(
      db.write(adHoc("UPDATE stores SET created_at = '0000-00-00' WHERE id = ?", [store.id])),
    ).rejects.toMatchObject({
      code: 'out_of_range',
    });
    await expect(db.write(adHoc('UPDATE stores SET name = 1 / 0 WHERE id = ?', [store.id]))).rejects.toThrow();
  });

  it('uses UTC, whatever time zone the server and the machine use', async () => {
    const store = await aStore();
    const time = new Date('2024-07-01T12:34:56.000Z');
    await db.write(adHoc('UPDATE stores SET created_at = ? WHERE id = ?', [time, store.id]));
    const [row] = await db.rows(
      adHoc<{ text: string; created_at: Date }>(
        "SELECT DATE_FORMAT(created_at, '%Y-%m-%d %H:%i:%s') AS text, created_at FROM stores WHERE id = ?",
        [store.id],
      ),
    );
    expect(row).toEqual({ text: '2024-07-01 12:34:56', created_at: time });
    expect(await one('TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW())')).toBe(0);
  });

  it('has the same settings as every other', async () => {
    const settings = () =>
      db.rows(
        adHoc<{ mode: string; zone: string; charset: string; lockWait: number; connection: number }>(
          `SELECT @@sql_mode AS mode, @@time_zone AS zone, @@character_set_connection AS charset,
                @@innodb_lock_wait_timeout AS lockWait, SLEEP(0.1), CONNECTION_ID() AS connection`,
        ),
      );
    const sessions = (await Promise.all([settings(), settings(), settings()])).flat();
    expect(new Set(sessions.map(({ connection }) => connection)).size).toBe(3);
    for (const session of sessions) {
      expect(session).toMatchObject({ zone: '+00:00', charset: 'utf8mb4' });
      expect(Number(session.lockWait)).toBe(1);
      expect(session.mode.split(',')).toEqual(expect.arrayContaining(['STRICT_TRANS_TABLES', 'NO_ZERO_DATE']));
    }
  });
});
