import { aDatabase, closeDatabases, productionEnv } from '@shop/testing';
import { bigint, type Columns, dateTime, decimal, flag, int, nullable, text, textOf, timestamp } from './columns';
import { statement } from './statement';

afterAll(closeDatabases);

describe('placeholders', () => {
  it('become ? in order, once per occurrence', () => {
    const find = statement('thing.find', "SELECT '12:30' FROM things WHERE a = :a AND b = :b AND (:a IS NULL)");
    expect(find.bind({ a: 1, b: 'x' })).toEqual({
      text: "SELECT '12:30' FROM things WHERE a = ? AND b = ? AND (? IS NULL)",
      values: ['1', 'x', '1'],
    });
  });

  it('each need a value', () => {
    const find = statement('thing.find', 'SELECT 1 FROM things WHERE a = :a AND b = :b');
    expect(() => find.bind({ a: 1 })).toThrow('thing.find: no value for :b');
  });

  it('bind numbers as exact text', () => {
    const find = statement('thing.find', 'SELECT :a, :b, :c, :d, :e');
    const { values } = find.bind({ a: 7, b: 9_007_199_254_740_993n, c: true, d: false, e: null });
    expect(values).toEqual(['7', '9007199254740993', '1', '0', null]);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
    [8, 8],
    [9, 16],
    [100, 128],
  ])('a list of %d values is padded to %d placeholders, so that there are few SQL texts', (count, size) => {
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const { text, values } = statement('thing.list', 'WHERE id IN (:ids) AND x = :x').bind({ ids, x: 'x' });
    expect(text).toBe(`WHERE id IN (${Array(size).fill('?').join(', ')}) AND x = ?`);
    expect(values).toHaveLength(size + 1);
    expect([...new Set(values)]).toEqual([...ids.map(String), 'x']);
  });

  it('reject an empty list', () => {
    expect(() => statement('thing.list', 'WHERE id IN (:ids)').bind({ ids: [] })).toThrow('at least one value');
  });

  it('of a list match exactly its values, on a real server', async () => {
    const { db } = aDatabase();
    const find = statement(
      'thing.list',
      { n: int },
      'SELECT n FROM (SELECT 3 AS n UNION SELECT 4 UNION SELECT 5 UNION SELECT 9) AS numbers WHERE n IN (:ids) ORDER BY n',
    );
    expect(await db.rows(find, { ids: [3, 5, 9] })).toEqual([{ n: 3 }, { n: 5 }, { n: 9 }]);
    expect(await db.row(find, { ids: [9, 4] })).toEqual({ n: 4 });
    expect(await db.row(find, { ids: [7] })).toBeUndefined();
  });
});

describe('columns', () => {
  it('are decoded to their types', async () => {
    const { db } = aDatabase();
    const all = statement(
      'thing.all',
      {
        id: int,
        role: textOf(['user', 'admin']),
        phone: nullable(text),
        created_at: timestamp,
        createdAt: dateTime,
        isAdmin: flag,
        total: bigint,
        price: decimal,
        none: nullable(timestamp),
      },
      `SELECT id, role, phone, created_at, created_at AS createdAt, role = 'admin' AS isAdmin,
         (SELECT SUM(u.id) FROM users u WHERE u.id = 1) AS total, CAST(12.5 AS DECIMAL(12, 2)) AS price, email_verified_at AS none
       FROM users WHERE id = 1`,
    );
    expect(await db.row(all)).toEqual({
      id: 1,
      role: 'admin',
      phone: '0000000000',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      createdAt: expect.any(Date),
      isAdmin: true,
      total: 1n,
      price: '12.50',
      none: null,
    });
  });

  it.each<[problem: string, columns: Columns, sql: string]>([
    ['name has type', { name: int }, 'SELECT name FROM users'],
    ['id has type', { id: text }, 'SELECT id FROM users'],
    ['created_at has type', { created_at: decimal }, 'SELECT created_at FROM users'],
    ['phone can be null', { phone: text }, 'SELECT phone FROM users'],
    ['there is no name', { id: int, name: text }, 'SELECT id FROM users'],
    ['name is not declared', { id: int }, 'SELECT id, name FROM users'],
  ])('that differ from what the server returns fail: %s', async (problem, columns, sql) => {
    const { db } = aDatabase();
    const wrong = statement('user.wrong', columns, `${sql} WHERE id = 0`);
    await expect(db.rows(wrong)).rejects.toThrow(`the columns of user.wrong are not as declared: ${problem}`);
  });

  it('are not checked in production', async () => {
    const { db } = aDatabase(await productionEnv());
    expect(await db.rows(statement('user.wrong', { id: text }, 'SELECT id FROM users WHERE id = 0'))).toEqual([]);
  });

  it('reject a value that is not declared', async () => {
    const { db } = aDatabase();
    const find = statement('user.role', { role: textOf(['seller']) }, 'SELECT role FROM users WHERE id = 1');
    await expect(db.row(find)).rejects.toThrow('"admin" is none of seller');
  });
});
