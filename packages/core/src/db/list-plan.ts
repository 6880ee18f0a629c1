import { type Columns, int } from './columns';
import type { ListOrder } from './list-order';
import type { Search } from './list-search';
import { MAX_TOTAL, type Position } from './page';
import type { Sql } from './sql';
import { type SqlValues, statement } from './statement';

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
  /** One more condition. An index of terms finds its rows. */
  search?: Search | undefined;
  /** Default: newest first. */
  order?: ListOrder;
  /** The index that returns the rows matching the equality conditions in the list's order. */
  index: string;
  /** The index of the whole table in the list's order, unless the list always shows only a user's own rows. */
  tableIndex?: string;
}

/** How the rows of a page are found. */
export interface ListPlan {
  /** Undefined if it is not needed, after a position. `counted`: the page's statement counts, by this SQL expression. */
  total: number | undefined | { counted: string };
  /** What the list's cursors say. */
  isLong: boolean;
  /** The table with an index hint, or what joins it. */
  from: string;
  /** Whether `from` returns the rows in the list's order. */
  inListOrder: boolean;
  conditions: readonly Condition[];
  /** For the placeholders of `from` and of the list's order. */
  values: SqlValues;
}

export const givenConditions = ({ where }: Pick<ListSource<Columns>, 'where'>): Condition[] =>
  where.filter((condition) => condition !== undefined);

/** Counts the rows that the page is selected from. */
export const COUNT_MATCHES = { counted: 'COUNT(*) OVER ()' };

/** The number of matching rows decides whether they are read in index order. */
export async function planFilters(
  sql: Sql,
  source: ListSource<Columns>,
  after: Position | undefined,
): Promise<ListPlan> {
  const conditions = givenConditions(source);
  if (conditions.length === 0 || source.tableIndex === undefined) {
    // One statement: the number decides nothing.
    const counted = `(${countStatement(MAX_TOTAL, source.table, conditions)})`;
    return { ...inListOrder(source), total: { counted }, isLong: after?.isLong ?? false, conditions, values: {} };
  }
  const total = after
    ? undefined
    : await countUpTo(MAX_TOTAL, sql, source, { from: source.table, conditions, values: {} });
  const isLong = after?.isLong ?? (total ?? 0) > MAX_TOTAL;
  const plan = isLong ? inListOrder(source) : notInTableOrder(source);
  return { ...plan, total, isLong, conditions, values: {} };
}

type FromIndex = Pick<ListPlan, 'from' | 'inListOrder'>;

export const inListOrder = ({ table, index }: ListSource<Columns>): FromIndex => ({
  from: `${table} FORCE INDEX (${index})`,
  inListOrder: true,
});

/**
 * Both servers estimate how much of an index they must scan to fill a page. The estimate is wrong if the matches are not
 * evenly distributed: with few matches, all of the table's index would be scanned.
 */
export const notInTableOrder = (source: ListSource<Columns>): FromIndex =>
  source.tableIndex === undefined
    ? inListOrder(source)
    : { from: `${source.table} IGNORE INDEX FOR ORDER BY (${source.tableIndex})`, inListOrder: false };

/** One condition. Its text is empty if there are none. */
export const allOf = (conditions: readonly Condition[]): Condition => ({
  text: conditions.map(({ text }) => text).join(' AND '),
  values: Object.assign({}, ...conditions.map(({ values }) => values)),
});

export const whereClause = ({ text }: Condition): string => (text === '' ? '' : `WHERE ${text}`);

/**
 * Counts up to `max` + 1 rows.
 * @param orderBy for a plan in the list's order, because without it the servers do not read the index
 */
export async function countUpTo(
  max: number,
  sql: Sql,
  { name }: Pick<ListSource<Columns>, 'name'>,
  { from, conditions, values }: Pick<ListPlan, 'from' | 'conditions' | 'values'>,
  orderBy = '',
): Promise<number> {
  const count = statement(name, { total: int }, countStatement(max, from, conditions, orderBy));
  return (await sql.row(count, { ...values, ...allOf(conditions).values }))?.total ?? 0;
}

const countStatement = (max: number, from: string, conditions: readonly Condition[], orderBy = ''): string =>
  `SELECT COUNT(*) AS total
   FROM (SELECT 1 FROM ${from} ${whereClause(allOf(conditions))} ${orderBy} LIMIT ${max + 1}) AS matches`;
