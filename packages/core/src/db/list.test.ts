import { aStore, aUser, rows, sqlOver } from '@shop/testing';
import { int } from './columns';
import { ownedIds, selectList } from './list';
import { type Condition, contains, equalsText, oneOf, when } from './list-condition';
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

const STORES = {
  name: 'store.list',
  columns: { id: int },
  select: 'stores.id',
  table: 'stores',
  tableIndex: 'stores_newest',
};

const listStores = async (sql: Sql, where: (Condition | undefined)[], page: Page = { limit: 10 }) => {
  const list = await selectList(sql, { ...STORES, where, index: 'stores_newest' }, page);
  return { ...list, rows: list.rows.map(({ id }) => id) };
};

describe('selectList', () => {
  it('filters only by the given conditions, in the first rows of the list', async () => {
    const owner = await aUser();
    const { id } = await aStore({ owner, name: 'Mugs' });
    const { sql, statements } = recordingSql();
    const where = [
      when('user_id = :user', { user: owner.id }),
      when('id = :id', { id: undefined }),
      contains(['name_folded'], ''),
    ];
    expect(await listStores(sql, where)).toEqual({ rows: [id], total: 1, next: undefined });
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('FROM stores WHERE user_id = ? LIMIT 10001');
    expect(statements[0]).toContain('ORDER BY created_at DESC, id DESC LIMIT ?) AS first_rows WHERE is_match');
    expect(statements[0]).toMatch(/ORDER BY position_value DESC, page.id DESC$/);
  });

  it('without conditions, uses the index of the list', async () => {
    await aStore();
    const { sql, statements } = recordingSql();
    await listStores(sql, []);
    expect(statements.join()).not.toContain('WHERE');
    expect(statements.at(-1)).toContain('FORCE INDEX (stores_newest)');
  });

  it('counts in the same statement if the list index serves the only condition', async () => {
    const owner = await aUser();
    const { id } = await aStore({ owner });
    const { sql, statements } = recordingSql();
    const ofOwner = when('user_id = :user', { user: owner.id });
    const source = { ...STORES, where: [ofOwner], index: 'stores_owner_newest', indexed: ofOwner };
    expect(await selectList(sql, source, { limit: 10 })).toMatchObject({ rows: [{ id }], total: 1 });
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('FROM stores FORCE INDEX (stores_owner_newest) WHERE user_id = ? ORDER BY');
  });

  describe('with matches beyond the first rows', () => {
    const beforeOthers = async () => {
      const owner = await aUser();
      const { id } = await aStore({ owner });
      // More than are tested for a page of two.
      const other = await aUser();
      for (let count = 0; count < 12; count += 1) await aStore({ owner: other });
      return { owner, id, where: [when('user_id = :user', { user: owner.id })] };
    };

    it('finds them', async () => {
      const { id, where } = await beforeOthers();
      const { sql, statements } = recordingSql();
      expect(await listStores(sql, where, { limit: 2 })).toEqual({ rows: [id], total: 1, next: undefined });
      expect(statements).toHaveLength(3);
    });

    it('counts once', async () => {
      const { owner, id, where } = await beforeOthers();
      const newest = await aStore({ owner });
      const { sql, statements } = recordingSql();
      expect(await listStores(sql, where, { limit: 2 })).toEqual({ rows: [newest.id, id], total: 2, next: undefined });
      expect(statements.map((text) => text.includes('COUNT'))).toEqual([true, false]);
    });

    it('finds them after a position', async () => {
      const { owner, id, where } = await beforeOthers();
      const newest = await aStore({ owner });
      const { sql } = recordingSql();
      const { rows, next } = await listStores(sql, where, { limit: 1 });
      expect(rows).toEqual([newest.id]);
      expect(await listStores(sql, where, { limit: 1, after: next })).toMatchObject({ rows: [id], next: undefined });
    });
  });

  it('does not query a page past the end', async () => {
    const { id } = await aStore();
    const { sql, statements } = recordingSql();
    const where = [when('id = :id', { id })];
    expect(await listStores(sql, where, { page: 2, limit: 1 })).toEqual({ rows: [], total: 1, next: undefined });
    expect(statements).toHaveLength(2);
    expect(statements[1]).not.toContain('OFFSET');
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
    // The first rows cannot tell that the page is the last.
    expect(statements).toHaveLength(2);
    expect(statements.join()).not.toContain('COUNT');
    expect(statements[0]).toContain('WHERE (created_at < ? OR (created_at = ? AND id < ?)) ORDER BY');
    expect(statements[1]).toContain(
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
