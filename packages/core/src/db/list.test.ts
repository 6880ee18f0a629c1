import { aStore, aUser, rows, sqlOver } from '@shop/testing';
import { int } from './columns';
import { contains, equalsText, oneOf, ownedIds, selectList, when } from './list';
import type { Condition } from './list-plan';
import type { Page } from './page';
import type { Sql } from './sql';

/** The test database, with a record of every statement that ran on it. */
function recordingSql(): { sql: Sql; statements: string[] } {
  const statements: string[] = [];
  const sql = sqlOver((statement, values) => {
    statements.push(statement.replaceAll(/\s+/g, ' '));
    const numbers = values.map((value) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value));
    return rows(statement, numbers as string[]);
  });
  return { sql, statements };
}

const listStores = async (sql: Sql, where: (Condition | undefined)[], page: Page = { limit: 10 }) => {
  const source = {
    name: 'store.list',
    columns: { id: int },
    select: 'stores.id',
    table: 'stores',
    where,
    index: 'stores_newest',
    tableIndex: 'stores_newest',
  };
  const list = await selectList(sql, source, page);
  return { ...list, rows: list.rows.map(({ id }) => id) };
};

describe('selectList', () => {
  it('filters only by the given conditions, and orders by time and id', async () => {
    const owner = await aUser();
    const { id } = await aStore({ owner, name: 'Mugs' });
    const { sql, statements } = recordingSql();
    const where = [
      when('user_id = :user', { user: owner.id }),
      when('id = :id', { id: undefined }),
      contains(['name_folded'], ''),
    ];
    expect(await listStores(sql, where)).toEqual({ rows: [id], total: 1, next: undefined });
    const [count, page] = statements;
    expect(count).toContain('FROM stores WHERE user_id = ? LIMIT');
    expect(page).toContain('WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?');
    expect(page).toMatch(/ORDER BY position_value DESC, page.id DESC$/);
  });

  it('without conditions, uses the index of the list', async () => {
    await aStore();
    const { sql, statements } = recordingSql();
    await listStores(sql, []);
    expect(statements.join()).not.toContain('WHERE');
    expect(statements.at(-1)).toContain('FORCE INDEX (stores_newest)');
  });

  it('does not query a page past the end', async () => {
    const { id } = await aStore();
    const { sql, statements } = recordingSql();
    const where = [when('id = :id', { id })];
    expect(await listStores(sql, where, { page: 2, limit: 1 })).toEqual({ rows: [], total: 1, next: undefined });
    expect(statements).toHaveLength(1);
  });

  it('counts nothing after a position', async () => {
    const owner = await aUser();
    const [one, two] = [await aStore({ owner }), await aStore({ owner })];
    const where = [when('user_id = :user', { user: owner.id })];
    const { sql, statements } = recordingSql();
    const { rows, next } = await listStores(sql, where, { limit: 1 });
    expect([rows, next]).toEqual([[two.id], { value: expect.anything(), id: two.id, isLong: false }]);
    statements.length = 0;
    expect(await listStores(sql, where, { limit: 1, after: next })).toEqual({
      rows: [one.id],
      total: undefined,
      next: undefined,
    });
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain(
      'WHERE user_id = ? AND CASE WHEN created_at = ? THEN id < ? ELSE created_at < ? END ORDER BY created_at DESC, id DESC',
    );
  });

  it.each(['', 'yesterday', '2026-01-01', '2026-02-30T00:00:00.000Z', '0000-01-01T00:00:00.000Z', "' OR 1=1 --"])(
    'rejects a position that no row can have: %j',
    async (value) => {
      const { sql } = recordingSql();
      const after = { value, id: 1, isLong: false };
      await expect(listStores(sql, [], { limit: 1, after })).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );
});

describe('conditions', () => {
  it('compare case-folded text', () => {
    expect(contains(['name_folded', 'email'], '100% WEIẞ_')).toEqual({
      text: '(name_folded LIKE :name_folded_pattern OR email LIKE :name_folded_pattern)',
      values: { name_folded_pattern: '%100\\% weiss\\_%' },
    });
    expect(equalsText('city_folded', 'Ürümqi')).toEqual({
      text: 'city_folded = :city_folded',
      values: { city_folded: 'ürümqi' },
    });
    expect([contains(['x'], undefined), equalsText('x', ''), equalsText('x', undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('use = for one value and IN for several', () => {
    expect(oneOf('store_id', [7])).toEqual({ text: 'store_id = :store_id', values: { store_id: 7 } });
    expect(oneOf('store_id', [7, 8])).toEqual({ text: 'store_id IN (:store_id)', values: { store_id: [7, 8] } });
  });

  it('ownedIds returns the ids that are both owned and requested', async () => {
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
