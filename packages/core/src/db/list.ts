import { foldText } from '../text';
import { type Columns, int, type RowOf } from './columns';
import { type List, MAX_TOTAL, type Page } from './page';
import { containsPattern, type Sql } from './sql';
import { type SqlValue, type SqlValues, statement } from './statement';

/** A condition on the columns of one table, and the values of its placeholders. */
export interface Condition {
  text: string;
  values: SqlValues;
}

export interface ListSource<C extends Columns> {
  /** The metrics label of its statements. */
  name: string;
  columns: C;
  /** What `columns` are read from, each with its table's name where `join` adds more tables. */
  select: string;
  /** Has an `id` and `created_at`. */
  table: string;
  /** Adds to the rows of the page, never removes one. */
  join?: string;
  /** Only what was asked for is in the statements, so that an index can serve it. */
  where: (Condition | undefined)[];
  /** The index that has the rows that meet the equality conditions in the list's order. */
  index: string;
  /** The index of the whole table in the list's order. With few matches it is not used: all of it would be read for them. */
  newest?: string;
}

/**
 * A page of the newest rows, and how many there are (at most MAX_TOTAL + 1). The ids of the page are found first, in an
 * index where there is one, and only their rows are read. See docs/decisions/0019-lists.md.
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

  const total = await countUpToLimit(sql, name, `FROM ${table} ${where}`, values);
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

async function countUpToLimit(sql: Sql, name: string, matches: string, values: SqlValues): Promise<number> {
  // Skipping rows costs half of counting them. Not where a filter may have to be tried on every row: it would be tried twice.
  if (Object.keys(values).length === 0) {
    const beyond = statement(name, { found: int }, `SELECT 1 AS found ${matches} LIMIT 1 OFFSET ${MAX_TOTAL}`);
    if (await sql.row(beyond)) return MAX_TOTAL + 1;
  }
  const count = statement(
    name,
    { total: int },
    `SELECT COUNT(*) AS total FROM (SELECT 1 ${matches} LIMIT ${MAX_TOTAL + 1}) AS matches`,
  );
  return (await sql.row(count, values))?.total ?? 0;
}

/**
 * Both servers guess how many rows an index must be read through until a page is full, and guess wrong where the matches
 * are not spread evenly. The count has told whether there are many.
 */
function indexHint({ index, newest }: Pick<ListSource<Columns>, 'index' | 'newest'>, manyMatches: boolean): string {
  if (manyMatches) return `FORCE INDEX (${index})`;
  return newest === undefined ? '' : `IGNORE INDEX FOR ORDER BY (${newest})`;
}

/** @returns undefined, which is no condition, where a value is undefined */
export function when(text: string, values: Record<string, SqlValue | undefined>): Condition | undefined {
  const isGiven = Object.values(values).every((value) => value !== undefined);
  return isGiven ? { text, values: values as SqlValues } : undefined;
}

/** @param values at least one */
export function oneOf(column: string, values: readonly number[]): Condition {
  // A single value leaves the index its order.
  if (values.length === 1) return { text: `${column} = :${column}`, values: { [column]: values[0] ?? null } };
  return { text: `${column} IN (:${column})`, values: { [column]: values } };
}

/** The text is a part of a folded column, literally: `%` and `_` are no wildcards. An empty one is no condition. */
export function contains(columns: readonly string[], text: string | undefined): Condition | undefined {
  if (!text) return undefined;
  const name = `${columns[0]}_pattern`;
  const anyColumn = columns.map((column) => `${column} LIKE :${name}`).join(' OR ');
  return { text: `(${anyColumn})`, values: { [name]: containsPattern(foldText(text)) } };
}

/** Equal when folded. An empty text is no condition. */
export const equalsText = (column: string, text: string | undefined): Condition | undefined =>
  text ? { text: `${column} = :${column}`, values: { [column]: foldText(text) } } : undefined;

/**
 * Which rows of `table` a list may show things of: those that `userId` owns, the one with `id`, or that one if it is
 * theirs. Asked for beforehand, because a join or subquery would hide the order of the list's index from the server.
 * @returns undefined: any
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
