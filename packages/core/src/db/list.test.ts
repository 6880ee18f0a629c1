import { aStore, aUser, rows } from '@shop/testing';
import { listAnswer, MAX_TOTAL } from '../schemas/schemas';
import { type Condition, contains, equalsText, ifGiven, oneOf, ownedIds, selectList } from './list';
import type { Sql, SqlValue } from './sql';

/** The test database, and every statement that was run on it. */
function recordingSql(): { sql: Sql; statements: string[] } {
  const statements: string[] = [];
  const sql: Sql = {
    rows(statement, values = []) {
      statements.push(statement.replaceAll(/\s+/g, ' '));
      return rows(statement, values as Exclude<SqlValue, boolean | Buffer>[]);
    },
    write: () => Promise.reject(new Error('a list writes nothing')),
  };
  return { sql, statements };
}

const listStores = (sql: Sql, where: (Condition | undefined)[], page = { page: 1, limit: 10 }) =>
  selectList(
    sql,
    { table: 'stores', columns: 'stores.id', where, index: 'stores_newest', newest: 'stores_newest' },
    page,
    ({ id }: { id: number }) => id,
  );

describe('selectList', () => {
  it('asks only for what was given, in the order of time and id', async () => {
    const owner = await aUser();
    const { id } = await aStore({ owner, name: 'Mugs' });
    const { sql, statements } = recordingSql();
    const where = [ifGiven('user_id = ?', owner.id), ifGiven('id = ?', undefined), contains(['name_folded'], '')];
    expect(await listStores(sql, where)).toEqual({ rows: [id], total: 1 });
    const [count, page] = statements;
    expect(count).toContain('FROM stores WHERE user_id = ? LIMIT');
    expect(page).toContain('WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?');
    expect(page).toMatch(/ORDER BY stores.created_at DESC, stores.id DESC$/);
  });

  it('without conditions, reads the index of the list', async () => {
    await aStore();
    const { sql, statements } = recordingSql();
    await listStores(sql, []);
    expect(statements.join()).not.toContain('WHERE');
    expect(statements.at(-1)).toContain('FORCE INDEX (stores_newest)');
  });

  it('reads no page past the end', async () => {
    const { id } = await aStore();
    const { sql, statements } = recordingSql();
    const where = [ifGiven('id = ?', id)];
    expect(await listStores(sql, where, { page: Number.MAX_SAFE_INTEGER, limit: 100 })).toEqual({ rows: [], total: 1 });
    expect(await listStores(sql, where, { page: 2, limit: 1 })).toEqual({ rows: [], total: 1 });
    expect(statements).toHaveLength(2);
  });
});

describe('conditions', () => {
  it('compare folded text', () => {
    expect(contains(['name_folded', 'email'], '100% WEIẞ_')).toEqual([
      '(name_folded LIKE ? OR email LIKE ?)',
      '%100\\% weiss\\_%',
      '%100\\% weiss\\_%',
    ]);
    expect(equalsText('city_folded', 'Ürümqi')).toEqual(['city_folded = ?', 'ürümqi']);
    expect([contains(['x'], undefined), equalsText('x', ''), equalsText('x', undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('name one value alone, and several in few different statements', () => {
    expect(oneOf('store_id', [7])).toEqual(['store_id = ?', 7]);
    expect(oneOf('store_id', [7, 8, 9])).toEqual(['store_id IN (?, ?, ?, ?)', 7, 8, 9, 9]);
  });

  it('ownedIds narrows to what is owned and what is asked for', async () => {
    const owner = await aUser();
    const [one, other, foreign] = [await aStore({ owner }), await aStore({ owner }), await aStore()];
    const { sql } = recordingSql();
    expect((await ownedIds(sql, 'stores', owner.id, undefined))?.sort()).toEqual([one.id, other.id].sort());
    expect(await ownedIds(sql, 'stores', owner.id, other.id)).toEqual([other.id]);
    expect(await ownedIds(sql, 'stores', owner.id, foreign.id)).toEqual([]);
    expect(await ownedIds(sql, 'stores', undefined, foreign.id)).toEqual([foreign.id]);
    expect(await ownedIds(sql, 'stores', undefined, undefined)).toBeUndefined();
  });
});

it('listAnswer gives the total up to its limit, and says where there are more', () => {
  const page = { page: 2, limit: 10 };
  expect(listAnswer({ rows: [], total: MAX_TOTAL }, page).pagination).toEqual({ ...page, total: MAX_TOTAL });
  expect(listAnswer({ rows: [], total: MAX_TOTAL + 1 }, page).pagination).toEqual({
    ...page,
    total: MAX_TOTAL,
    total_capped: true,
  });
});
