import { type Columns, int, type RowOf } from './columns';
import { allOf, whereClause } from './list-condition';
import { directionOf, isAfter, type ListOrder, newestFirst, orderBy } from './list-order';
import { byId, countUpTo, type ListPlan, type ListSource, planFilters, planFirstRows } from './list-plan';
import { planSearch } from './list-search';
import { type List, MAX_TOTAL, type Page } from './page';
import type { Sql } from './sql';
import { type Statement, statement } from './statement';

/**
 * Returns a page of a list, and its total (at most MAX_TOTAL + 1). First finds the ids of the page, if possible in an index,
 * then reads only their rows. After a position, nothing is counted. See docs/decisions/0019-lists.md.
 * @throws AppError `invalid_request` if no row of the list can be at the position
 *
 * @example
 * const ownStores = when('user_id = :user_id', { user_id: ownerId });
 * selectList(sql, {
 *   name: 'store.list',
 *   columns: { id: int, name: text },
 *   select: 'stores.id, name',
 *   table: 'stores',
 *   where: [ownStores, contains(['name_folded'], query.search)],
 *   index: 'stores_owner_newest',
 *   indexed: ownStores,
 * }, query);
 */
export async function selectList<C extends Columns>(
  sql: Sql,
  source: ListSource<C>,
  page: Page,
): Promise<List<RowOf<C>>> {
  if (source.search) return await readList(sql, source, page, await planSearch(sql, source, source.search, page));
  const firstRows = planFirstRows(source, page);
  const quick = firstRows && (await readPage(sql, source, page, firstRows));
  if (quick && isWhole(quick, page)) return quick;
  return await readList(sql, source, page, await planFilters(sql, source, page.after, quick?.total));
}

/** Whether no row of the page can be missing, although only a part of the list was read. */
const isWhole = ({ rows, total, next }: List<unknown>, page: Page): boolean =>
  next !== undefined || (rows.length > 0 && total === offsetOf(page) + rows.length);

const offsetOf = ({ page = 1, limit, after }: Page): number => (after ? 0 : (page - 1) * limit);

async function readList<C extends Columns>(
  sql: Sql,
  source: ListSource<C>,
  page: Page,
  plan: ListPlan,
): Promise<List<RowOf<C>>> {
  const list = await readPage(sql, source, page, plan);
  if (list.total !== undefined || page.after) return list;
  return { ...list, total: offsetOf(page) === 0 ? 0 : await countUpTo(MAX_TOTAL, sql, source, plan) };
}

/** Without a total if the page's statement counts and there are no rows. */
async function readPage<C extends Columns>(
  sql: Sql,
  source: ListSource<C>,
  page: Page,
  plan: ListPlan,
): Promise<List<RowOf<C>>> {
  const { limit, after } = page;
  const [known, counted] =
    typeof plan.total === 'object' ? [undefined, after ? undefined : plan.total.counted] : [plan.total, undefined];
  const offset = offsetOf(page);
  if (known !== undefined && known <= MAX_TOTAL && offset >= known) return { ...NO_ROWS, total: known };

  const { order = newestFirst } = source;
  const pageOrder = (plan.isLong && order.ifLong) || order;
  const position = after ? [isAfter(pageOrder, after, plan.inListOrder)] : [];
  const filter = allOf([...plan.conditions, ...position]);
  const pageOfList = pageStatement(source, pageOrder, `${plan.from} ${whereClause(filter)}`, counted);
  // One row more than the page shows tells whether there is a next page.
  const found = await sql.rows(pageOfList, { ...plan.values, ...filter.values, rows: limit + 1, offset });
  const total = counted ? found[0]?.row_count : known;
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    rows: found.slice(0, limit).map(({ position_value, position_id, row_count, ...row }) => row as unknown as RowOf<C>),
    total,
    next: last && {
      value: last.position_value,
      id: last.position_id,
      isLong: plan.isLong || (total ?? 0) > MAX_TOTAL,
    },
  };
}

const NO_ROWS = { rows: [], next: undefined };

/** For a list that is known to be empty. */
export const emptyList = ({ after }: Page): List<never> => ({ ...NO_ROWS, total: after ? undefined : 0 });

const pageColumns = (order: ListOrder, counted: string | undefined) => ({
  position_value: order.column.type,
  position_id: int,
  ...(counted ? { row_count: int } : {}),
});

function pageStatement<C extends Columns>(
  { name, columns, select, table, join = '' }: ListSource<C>,
  order: ListOrder,
  fromAndWhere: string,
  counted: string | undefined,
): Statement<RowOf<C> & RowOf<ReturnType<typeof pageColumns>>> {
  const direction = directionOf(order);
  const [count, rowCount] = counted ? [`, ${counted} AS row_count`, ', row_count'] : ['', ''];
  return statement(
    name,
    { ...columns, ...pageColumns(order, counted) },
    `SELECT STRAIGHT_JOIN ${select}, position_value, page.id AS position_id${rowCount}
     FROM (SELECT id, ${order.column.name} AS position_value${count} FROM ${fromAndWhere}
           ${orderBy(order)} LIMIT :rows OFFSET :offset) AS page
     JOIN ${byId(table)} ON ${table}.id = page.id ${join}
     ORDER BY position_value ${direction}, page.id ${direction}`,
  ) as never;
}

/**
 * Returns the ids of the rows of `table` that a list is limited to: all rows that `userId` owns, the row `id`, or the row
 * `id` if `userId` owns it. A separate query, because with a join or subquery the server could not use the index order.
 * @returns undefined: no limit
 */
export async function ownedIds(
  sql: Sql,
  table: string,
  userId: number | undefined,
  id: number | undefined,
): Promise<number[] | undefined> {
  if (userId === undefined) return id === undefined ? undefined : [id];
  const owned = statement(`${table}.owned`, { id: int }, `SELECT id FROM ${table} WHERE user_id = :userId`);
  const ids = (await sql.rows(owned, { userId })).map((row) => row.id);
  return id === undefined ? ids : ids.filter((one) => one === id);
}
