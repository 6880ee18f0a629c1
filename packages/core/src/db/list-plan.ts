import { type Columns, int } from './columns';
import { allOf, type Condition, whereClause } from './list-condition';
import { isAfter, type ListOrder, newestFirst, orderBy } from './list-order';
import type { Search } from './list-search';
import { MAX_TOTAL, type Page, type Position } from './page';
import type { Sql } from './sql';
import { type SqlValues, statement } from './statement';

export interface ListSource<C extends Columns> {
  /** The name of its statements, which is their metrics label. */
  name: string;
  columns: C;
  /** The SQL expressions for `columns`. With `join`, qualify them with the table name. */
  select: string;
  /** Must have the column `id`, and the column of the list's order. */
  table: string;
  /** Must not remove rows from the page. Name the index: a small table would be read whole, and the page stored before it is sorted. */
  join?: string;
  /** Undefined conditions are left out of the statements, so that the server can use an index. */
  where: (Condition | undefined)[];
  /** One more condition. An index of terms finds its rows. */
  search?: Search | undefined;
  /** Default: newest first. */
  order?: ListOrder;
  /** The index of the whole table in the list's order, or of the rows that match `indexed`. */
  index: string;
  /** The equality condition of `where` that `index` serves. */
  indexed?: Condition | undefined;
  /** The index of the whole table in the list's order, unless the list always shows only a user's own rows. */
  tableIndex?: string;
}

/** How the rows of a page are found. */
export interface ListPlan {
  /** Undefined if it is not needed, after a position. `counted`: the page's statement counts, by this SQL expression. */
  total: number | undefined | { counted: string };
  /** What the list's cursors say. */
  isLong: boolean;
  /** The table with an index hint, or what joins it, or a part of it. */
  from: string;
  /** Whether `from` returns the rows in the list's order. */
  inListOrder: boolean;
  conditions: readonly Condition[];
  /** For the placeholders of `from`, of `total` and of the list's order. */
  values: SqlValues;
}

export const givenConditions = ({ where }: Pick<ListSource<Columns>, 'where'>): Condition[] =>
  where.filter((condition) => condition !== undefined);

/** Counts the rows that the page is selected from. */
export const COUNT_MATCHES = { counted: 'COUNT(*) OVER ()' };

/** Whether the list's index returns the matching rows and no others. A list of a user's own rows has few others. */
const isIndexed = (source: ListSource<Columns>): boolean =>
  source.tableIndex === undefined || givenConditions(source).every((condition) => condition === source.indexed);

/** How many rows are tested for each row up to the end of the page. */
const TESTED_PER_ROW = 4;
const MAX_TESTED = 1000;

/**
 * The page from the first rows of the list (or the first after the position) without its filters, and the total, in one statement.
 * If the filters are frequent there, it is the whole page: read in index order, without sorting all matches.
 * @returns undefined if the list has no such filters, or the page is too far from the start
 */
export function planFirstRows(source: ListSource<Columns>, { page = 1, limit, after }: Page): ListPlan | undefined {
  const tested = TESTED_PER_ROW * (after ? limit + 1 : page * limit + 1);
  if (isIndexed(source) || after?.isLong || tested > MAX_TESTED) return undefined;
  const conditions = givenConditions(source);
  return {
    ...firstRows(source, tested, conditions, after),
    total: after ? undefined : { counted: `(${countStatement(MAX_TOTAL, source.table, conditions)})` },
    isLong: false,
    inListOrder: true,
  };
}

/** Those of the list's first rows (or the first after the position) without its filters that match the conditions. */
export function firstRows(
  source: ListSource<Columns>,
  count: number,
  conditions: readonly Condition[],
  after?: Position,
): Pick<ListPlan, 'from' | 'conditions' | 'values'> {
  const { indexed } = source;
  const order = orderIfLong(source);
  const first = allOf([...(indexed ? [indexed] : []), ...(after ? [isAfter(order, after, true)] : [])]);
  const filter = allOf(conditions.filter((condition) => condition !== indexed));
  return {
    from: `(SELECT id, ${order.column.name}, ${filter.text} AS is_match FROM ${inListOrder(source).from}
            ${whereClause(first)} ${orderBy(order)} LIMIT :firstRows) AS first_rows`,
    conditions: [{ text: 'is_match', values: {} }],
    values: { ...first.values, ...filter.values, firstRows: count },
  };
}

/**
 * The number of matching rows decides whether they are read in index order.
 * @param counted that number, if it is known
 */
export async function planFilters(
  sql: Sql,
  source: ListSource<Columns>,
  after: Position | undefined,
  counted?: number,
): Promise<ListPlan> {
  const conditions = givenConditions(source);
  const { table } = source;
  if (isIndexed(source)) {
    // One statement: the number decides nothing.
    const total = { counted: `(${countStatement(MAX_TOTAL, table, conditions)})` };
    return { ...inListOrder(source), total, isLong: after?.isLong ?? false, conditions, values: {} };
  }
  const total = after
    ? undefined
    : (counted ?? (await countUpTo(MAX_TOTAL, sql, source, { from: table, conditions, values: {} })));
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

/** For a join with ids. The servers would read all of a small table, or an index of a filter, into a join buffer. */
export const byId = (table: string): string => `${table} FORCE INDEX (PRIMARY)`;

export const orderIfLong = ({ order = newestFirst }: ListSource<Columns>): ListOrder => order.ifLong ?? order;

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
