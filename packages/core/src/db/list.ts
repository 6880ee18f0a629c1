import { invalidCursor } from '../errors';
import { foldText } from '../text';
import { type Columns, int, type RowOf } from './columns';
import { type ListOrder, newestFirst } from './list-order';
import { type List, MAX_TOTAL, type Page, type Position } from './page';
import { containsPattern, type Sql } from './sql';
import { type SqlValue, type SqlValues, type Statement, statement } from './statement';

/** A SQL condition on the columns of one table, with the values of its placeholders. */
export interface Condition {
  text: string;
  values: SqlValues;
}

export interface ListSource<C extends Columns> {
  /** The name of its statements, which is their metrics label. */
  name: string;
  columns: C;
  /** The SQL expressions for `columns`. With `join`, qualify them with the table name. */
  select: string;
  /** Must have the column `id`, and the column of the list's order. */
  table: string;
  /** Must not remove rows from the page. */
  join?: string;
  /** Undefined conditions are left out of the statements, so that the server can use an index. */
  where: (Condition | undefined)[];
  /** Default: newest first. */
  order?: ListOrder;
  /** The index that returns the rows matching the equality conditions in the list's order. */
  index: string;
  /** The index of the whole table in the list's order, unless the list always shows only a user's own rows. */
  tableIndex?: string;
}

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
  { page = 1, limit, after }: Page,
): Promise<List<RowOf<C>>> {
  const { order = newestFirst } = source;
  const conditions = source.where.filter((condition) => condition !== undefined);
  const total = after ? undefined : await countUpToLimit(sql, source, conditions);
  const offset = after ? 0 : (page - 1) * limit;
  if (total !== undefined && total <= MAX_TOTAL && offset >= total) return { ...NO_ROWS, total };

  const isLong = after?.isLong ?? (total ?? 0) > MAX_TOTAL;
  const inIndexOrder = isLong || conditions.length === 0 || source.tableIndex === undefined;
  const allConditions = after ? [...conditions, isAfter(order, after, inIndexOrder)] : conditions;
  const { where, values } = allOf(allConditions);
  const pageOfList = pageStatement(source, order, `${indexHint(source, inIndexOrder)} ${where}`);
  // One row more than the page shows tells whether there is a next page.
  const found = await sql.rows(pageOfList, { ...values, rows: limit + 1, offset });
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    rows: found.slice(0, limit).map(({ position_value, position_id, ...row }) => row as unknown as RowOf<C>),
    total,
    next: last && { value: last.position_value, id: last.position_id, isLong },
  };
}

const NO_ROWS = { rows: [], next: undefined };

/** For a list that is known to be empty. */
export const emptyList = ({ after }: Page): List<never> => ({ ...NO_ROWS, total: after ? undefined : 0 });

const positionColumns = (order: ListOrder) => ({ position_value: order.column.type, position_id: int });

function pageStatement<C extends Columns>(
  { name, columns, select, table, join = '' }: ListSource<C>,
  order: ListOrder,
  hintAndWhere: string,
): Statement<RowOf<C> & RowOf<ReturnType<typeof positionColumns>>> {
  const direction = order.descending ? 'DESC' : 'ASC';
  return statement(
    name,
    { ...columns, ...positionColumns(order) },
    `SELECT STRAIGHT_JOIN ${select}, position_value, page.id AS position_id
     FROM (SELECT id, ${order.column.name} AS position_value FROM ${table} ${hintAndWhere}
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

function allOf(conditions: Condition[]): { where: string; values: SqlValues } {
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')}`;
  return { where, values: Object.assign({}, ...conditions.map((condition) => condition.values)) };
}

async function countUpToLimit(
  sql: Sql,
  { name, table }: Pick<ListSource<Columns>, 'name' | 'table'>,
  conditions: Condition[],
): Promise<number> {
  const { where, values } = allOf(conditions);
  // Skipping rows costs half as much as counting them. Not with a filter: it might be evaluated on every row, twice.
  if (where === '') {
    const beyond = statement(name, { found: int }, `SELECT 1 AS found FROM ${table} LIMIT 1 OFFSET ${MAX_TOTAL}`);
    if (await sql.row(beyond)) return MAX_TOTAL + 1;
  }
  const count = statement(
    name,
    { total: int },
    `SELECT COUNT(*) AS total FROM (SELECT 1 FROM ${table} ${where} LIMIT ${MAX_TOTAL + 1}) AS matches`,
  );
  return (await sql.row(count, values))?.total ?? 0;
}

/**
 * Both servers estimate how much of an index they must scan to fill a page. The estimate is wrong if the matches are not
 * evenly distributed. The count tells whether there are many matches. With few, all of the table's index would be scanned.
 */
const indexHint = ({ index, tableIndex }: Pick<ListSource<Columns>, 'index' | 'tableIndex'>, inIndexOrder: boolean) =>
  inIndexOrder ? `FORCE INDEX (${index})` : `IGNORE INDEX FOR ORDER BY (${tableIndex})`;

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
