import { foldText } from '../text';
import { type List, MAX_TOTAL, type Page } from './page';
import { containsPattern, inList, type Sql, type SqlValue } from './sql';

/** A condition on the columns of one table, and the values of its placeholders. */
export type Condition = [sql: string, ...values: SqlValue[]];

export interface ListSource {
  /** Has an `id` and `created_at`. */
  table: string;
  /** Columns to read, each with its table's name where `join` adds more tables. */
  columns: string;
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
 */
export async function selectList<Row, Item>(
  sql: Sql,
  source: ListSource,
  { page, limit }: Page,
  toItem: (row: Row) => Item,
): Promise<List<Item>> {
  const { table, columns, join = '' } = source;
  const conditions = source.where.filter((condition) => condition !== undefined);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(([condition]) => condition).join(' AND ')}`;
  const values = conditions.flatMap(([, ...bound]) => bound);

  const total = await countUpToLimit(sql, `FROM ${table} ${where}`, values);
  const offset = BigInt(page - 1) * BigInt(limit);
  if (total <= MAX_TOTAL && offset >= total) return { rows: [], total };

  const hint = indexHint(source, conditions.length === 0 || total > MAX_TOTAL);
  const rows = await sql.rows<Row>(
    `SELECT STRAIGHT_JOIN ${columns}
     FROM (SELECT id FROM ${table} ${hint} ${where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?) AS page
     JOIN ${table} ON ${table}.id = page.id ${join}
     ORDER BY ${table}.created_at DESC, ${table}.id DESC`,
    [...values, limit, offset],
  );
  return { rows: rows.map(toItem), total };
}

async function countUpToLimit(sql: Sql, matches: string, values: SqlValue[]): Promise<number> {
  // Skipping rows costs half of counting them. Not where a filter may have to be tried on every row: it would be tried twice.
  const [more] = values.length === 0 ? await sql.rows(`SELECT 1 ${matches} LIMIT 1 OFFSET ${MAX_TOTAL}`) : [];
  if (more) return MAX_TOTAL + 1;
  const [count] = await sql.rows<{ total: number }>(
    `SELECT COUNT(*) AS total FROM (SELECT 1 ${matches} LIMIT ${MAX_TOTAL + 1}) AS matches`,
    values,
  );
  return Number(count?.total ?? 0);
}

/**
 * Both servers guess how many rows an index must be read through until a page is full, and guess wrong where the matches
 * are not spread evenly. The count has told whether there are many.
 */
function indexHint({ index, newest }: ListSource, manyMatches: boolean): string {
  if (manyMatches) return `FORCE INDEX (${index})`;
  return newest === undefined ? '' : `IGNORE INDEX FOR ORDER BY (${newest})`;
}

/** @returns undefined, which is no condition, where `value` is undefined */
export const ifGiven = (condition: string, value: SqlValue | undefined): Condition | undefined =>
  value === undefined ? undefined : [condition, value];

/** @param values at least one */
export function oneOf(column: string, values: readonly number[]): Condition {
  // A single value leaves the index its order.
  if (values.length === 1) return [`${column} = ?`, ...values];
  const list = inList(values);
  return [`${column} IN (${list.placeholders})`, ...list.values];
}

/** The text is a part of a folded column, literally: `%` and `_` are no wildcards. An empty one is no condition. */
export function contains(columns: readonly string[], text: string | undefined): Condition | undefined {
  if (!text) return undefined;
  const anyColumn = columns.map((column) => `${column} LIKE ?`).join(' OR ');
  return [`(${anyColumn})`, ...columns.map(() => containsPattern(foldText(text)))];
}

/** Equal when folded. An empty text is no condition. */
export const equalsText = (column: string, text: string | undefined): Condition | undefined =>
  text ? [`${column} = ?`, foldText(text)] : undefined;

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
  const owned = await sql.rows<{ id: number }>(`SELECT id FROM ${table} WHERE user_id = ?`, [userId]);
  const ids = owned.map((row) => row.id);
  return id === undefined ? ids : ids.filter((one) => one === id);
}
