import { invalidCursor } from '../errors';
import { foldText } from '../text';
import { type Columns, int, type RowOf } from './columns';
import { type ListOrder, newestFirst } from './list-order';
import { allOf, type Condition, countUpTo, type ListSource, planFilters, whereClause } from './list-plan';
import { planSearch } from './list-search';
import { type List, MAX_TOTAL, type Page, type Position } from './page';
import { containsPattern, type Sql } from './sql';
import { type SqlValue, type SqlValues, type Statement, statement } from './statement';

/**
 * Returns a page of a list, and its total (at most MAX_TOTAL + 1). First finds the ids of the page, if possible in an index,
 * then reads only their rows. After a position, nothing is counted. See docs/decisions/0019-lists.md.
 * @throws AppError `invalid_request` if no row of the list can be at the position
 *
 * @example
 * selectList(sql, {
 *   name: 'store.list',
 *   columns: { id: int, name: text },
 *   select: 'stores.id, name',
 *   table: 'stores',
 *   where: [when('user_id = :user_id', { user_id: ownerId }), contains(['name_folded'], query.search)],
 *   index: 'stores_owner_newest',
 * }, query);
 */
export async function selectList<C extends Columns>(
  sql: Sql,
  source: ListSource<C>,
  where: Page,
): Promise<List<RowOf<C>>> {
  const { page = 1, limit, after } = where;
  const plan = await (source.search ? planSearch(sql, source, source.search, where) : planFilters(sql, source, after));
  const [known, counted] =
    typeof plan.total === 'object' ? [undefined, after ? undefined : plan.total.counted] : [plan.total, undefined];
  const offset = after ? 0 : (page - 1) * limit;
  if (known !== undefined && known <= MAX_TOTAL && offset >= known) return { ...NO_ROWS, total: known };

  const { order = newestFirst } = source;
  const pageOrder = (plan.isLong && order.ifLong) || order;
  const position = after ? [isAfter(pageOrder, after, plan.inListOrder)] : [];
  const filter = allOf([...plan.conditions, ...position]);
  const pageOfList = pageStatement(source, pageOrder, `${plan.from} ${whereClause(filter)}`, counted);
  // One row more than the page shows tells whether there is a next page.
  const found = await sql.rows(pageOfList, { ...plan.values, ...filter.values, rows: limit + 1, offset });
  const total = counted ? (found[0]?.row_count ?? (await countPastEnd())) : known;
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    rows: found.slice(0, limit).map(({ position_value, position_id, row_count, ...row }) => row as unknown as RowOf<C>),
    total,
    next: last && { value: last.position_value, id: last.position_id, isLong: plan.isLong },
  };

  async function countPastEnd() {
    return offset === 0 ? 0 : await countUpTo(MAX_TOTAL, sql, source, plan);
  }
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
  const direction = order.descending ? 'DESC' : 'ASC';
  const [count, rowCount] = counted ? [`, ${counted} AS row_count`, ', row_count'] : ['', ''];
  return statement(
    name,
    { ...columns, ...pageColumns(order, counted) },
    `SELECT STRAIGHT_JOIN ${select}, position_value, page.id AS position_id${rowCount}
     FROM (SELECT id, ${order.column.name} AS position_value${count} FROM ${fromAndWhere}
           ORDER BY ${order.column.name} ${direction}, id ${direction} LIMIT :rows OFFSET :offset) AS page
     JOIN ${table} ON ${table}.id = page.id ${join}
     ORDER BY position_value ${direction}, page.id ${direction}`,
  ) as never;
}

/**
 * In index order, as two ranges that both servers look up in the index (they do not for `(a, b) < (x, y)`). Otherwise as an
 * expression that no index serves: MySQL would choose the index of the order again, and then scan the table.
 */
function isAfter({ column, descending }: ListOrder, after: Position, inIndexOrder: boolean): Condition {
  const value = column.parse(after.value);
  if (value === undefined) throw invalidCursor();
  const beyond = descending ? '<' : '>';
  const [equal, further] = [`${column.name} = :afterValue`, `${column.name} ${beyond} :afterValue`];
  const laterId = `id ${beyond} :afterId`;
  return {
    text: inIndexOrder
      ? `(${further} OR (${equal} AND ${laterId}))`
      : `CASE WHEN ${equal} THEN ${laterId} ELSE ${further} END`,
    values: { afterValue: value, afterId: after.id },
  };
}

/** @returns undefined (no condition) if any value is undefined */
export function when(text: string, values: Record<string, SqlValue | undefined>): Condition | undefined {
  const isGiven = Object.values(values).every((value) => value !== undefined);
  return isGiven ? { text, values: values as SqlValues } : undefined;
}

/** @param values at least one */
export function oneOf(column: string, values: readonly number[]): Condition {
  // With a single value, the server can read the rows in index order.
  if (values.length === 1) return { text: `${column} = :${column}`, values: { [column]: values[0] ?? null } };
  return { text: `${column} IN (:${column})`, values: { [column]: values } };
}

/** A folded column contains the text literally: `%` and `_` are not wildcards. Without a text there is no condition. */
export function contains(columns: readonly string[], text: string | undefined): Condition | undefined {
  if (!text) return undefined;
  const name = `${columns[0]}_pattern`;
  const anyColumn = columns.map((column) => `${column} LIKE :${name}`).join(' OR ');
  return { text: `(${anyColumn})`, values: { [name]: containsPattern(foldText(text)) } };
}

/** A folded column equals the folded text. Without a text there is no condition. */
export const equalsText = (column: string, text: string | undefined): Condition | undefined =>
  text ? { text: `${column} = :${column}`, values: { [column]: foldText(text) } } : undefined;

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
