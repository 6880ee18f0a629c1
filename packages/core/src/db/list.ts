import { foldText } from '../text';
import { type Columns, int, type RowOf } from './columns';
import { type List, MAX_TOTAL, type Page } from './page';
import { containsPattern, type Sql } from './sql';
import { type SqlValue, type SqlValues, statement } from './statement';

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
  /** Must have the columns `id` and `created_at`. */
  table: string;
  /** Must not remove rows from the page. */
  join?: string;
  /** Undefined conditions are left out of the statements, so that the server can use an index. */
  where: (Condition | undefined)[];
  /** The index that returns the rows matching the equality conditions in the list's order. */
  index: string;
  /** The index of the whole table in the list's order. Ignored for few matches: all of it would be scanned. */
  newest?: string;
}

/**
 * Returns a page of the newest rows, and the total (at most MAX_TOTAL + 1). First finds the ids of the page, if possible in
 * an index, then reads only their rows. See docs/decisions/0019-lists.md.
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
  { page, limit }: Page,
): Promise<List<RowOf<C>>> {
  const { name, table, select, join = '' } = source;
  const conditions = source.where.filter((condition) => condition !== undefined);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ text }) => text).join(' AND ')}`;
  const values: SqlValues = Object.assign({}, ...conditions.map((condition) => condition.values));

  const total = await countUpToLimit(sql, source, where, values);
  const offset = BigInt(page - 1) * BigInt(limit);
  if (total <= MAX_TOTAL && offset >= total) return { rows: [], total };

  const hint = indexHint(source, conditions.length === 0 || total > MAX_TOTAL);
  const pageOfList = statement(
    name,
    source.columns,
    `SELECT STRAIGHT_JOIN ${select}
     FROM (SELECT id FROM ${table} ${hint} ${where} ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset) AS page
     JOIN ${table} ON ${table}.id = page.id ${join}
     ORDER BY ${table}.created_at DESC, ${table}.id DESC`,
  );
  return { rows: await sql.rows(pageOfList, { ...values, limit, offset }), total };
}

async function countUpToLimit(
  sql: Sql,
  { name, table }: Pick<ListSource<Columns>, 'name' | 'table'>,
  where: string,
  values: SqlValues,
): Promise<number> {
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
 * evenly distributed. The count tells whether there are many matches.
 */
function indexHint({ index, newest }: Pick<ListSource<Columns>, 'index' | 'newest'>, manyMatches: boolean): string {
  if (manyMatches) return `FORCE INDEX (${index})`;
  return newest === undefined ? '' : `IGNORE INDEX FOR ORDER BY (${newest})`;
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
