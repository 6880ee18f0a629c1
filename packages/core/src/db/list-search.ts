import { termQuery } from '../text';
import { type Columns, int } from './columns';
import { newestFirst } from './list-order';
import {
  allOf,
  COUNT_MATCHES,
  type Condition,
  countUpTo,
  givenConditions,
  inListOrder,
  type ListPlan,
  type ListSource,
  notInTableOrder,
  whereClause,
} from './list-plan';
import { MAX_TOTAL, type Page } from './page';
import { prefixPattern, type Sql } from './sql';
import { type SqlValues, statement } from './statement';

/** A search in texts whose terms (`partTerms`, `wordTerms`) are rows of a table of their own. */
export interface Search {
  text: string;
  /** Whether a row matches. The list's order may use its values too. */
  matches: Condition;
  /** The table of the terms: its column `term` has an index with `id`, which refers to the list's table. */
  terms: { table: string; id: string };
  /** A condition on the rows whose terms are missing or old. An index must find them. They are tested in every search. */
  withoutTerms: string;
}

/** How many rows are tested to see how frequent matches are. */
const SAMPLE = MAX_TOTAL / 2;

/** With at least so many matches among as many candidates, a page in the list's order fills up quickly. */
const FREQUENT = SAMPLE / 100;

/** In characters. Shorter words begin so many terms that reading them takes longer than testing the rows. */
const MIN_JOINED = 3;

/** How many of the searched words are looked up to find a rare one. */
const MAX_LOOKUPS = 4;

/**
 * Few candidates are read from the index of terms. If the other conditions are rarer, they find the rows. If all are frequent, a
 * page fills up quickly in the list's order. See docs/decisions/0046-indexed-search.md.
 */
export async function planSearch(
  sql: Sql,
  source: ListSource<Columns>,
  search: Search,
  { page = 1, limit, after }: Page,
): Promise<ListPlan> {
  const filters = givenConditions(source);
  const all = [...filters, search.matches];
  const { values } = search.matches;
  const inOrder = { ...inListOrder(source), conditions: all, values, isLong: true, total: undefined };
  if (after?.isLong) return inOrder;

  const { terms, isExact } = termQuery(search.text);
  const words = terms.slice(0, MAX_LOOKUPS);
  const { rarest, found } = await findRarest(sql, source, search, words);
  const isCounted = isExact && filters.length === 0;
  if (found <= MAX_TOTAL) return byTerms([rarest], isCounted || found === 0 ? found : COUNT_MATCHES);
  if (filters.length > 0) {
    const filtered = await countUpTo(MAX_TOTAL, sql, source, { from: source.table, conditions: filters, values: {} });
    if (filtered <= MAX_TOTAL) {
      return { ...notInTableOrder(source), conditions: all, values, isLong: false, total: COUNT_MATCHES };
    }
  }
  if (isCounted && !after) return { ...inOrder, total: found };
  const joined = words.filter((word) => word === rarest || word.length >= MIN_JOINED);
  if (after) return byTerms(joined, undefined);
  const amongCandidates = await countInSample(sql, source, candidatesOf(source.table, search, [rarest], SAMPLE), all);
  // So frequent that the first rows of the list have more matches than are counted.
  if (amongCandidates >= SAMPLE / 10) {
    return { ...inOrder, total: await countUpTo(MAX_TOTAL, sql, source, inOrder, orderBy(source)) };
  }
  const byAllTerms = byTerms(joined, COUNT_MATCHES);
  const isFrequent =
    amongCandidates >= FREQUENT ||
    (await countInSample(sql, source, firstRows(source, filters), [search.matches])) > page * limit;
  return isFrequent ? { ...inOrder, total: await countUpTo(MAX_TOTAL, sql, source, byAllTerms) } : byAllTerms;

  /** @param begins of terms that the rows have */
  function byTerms(begins: readonly string[], total: ListPlan['total']): ListPlan {
    const candidates = candidatesOf(source.table, search, begins);
    return {
      from: `${candidates.from} STRAIGHT_JOIN ${source.table} ON id = candidate_id`,
      inListOrder: false,
      conditions: isExact ? filters : all,
      values: candidates.values,
      isLong: false,
      total,
    };
  }
}

/** Has the column candidate_id. */
interface Candidates {
  from: string;
  values: SqlValues;
}

/** The ids, each once, of all rows that have a term which begins with the first of the texts, one which begins with the second, and so on. */
function candidatesOf(
  table: string,
  { matches, terms, withoutTerms }: Search,
  begins: readonly string[],
  limit?: number,
): Candidates {
  const [distinct, upTo] = limit === undefined ? ['', ''] : ['DISTINCT', `LIMIT ${limit}`];
  const lists = begins.map(
    (_, index) =>
      `((SELECT ${distinct} ${terms.id} AS candidate_id FROM ${terms.table} WHERE term LIKE :term${index} ${upTo})
        UNION (SELECT id FROM ${table} WHERE ${withoutTerms} AND ${matches.text})) AS candidates${index}`,
  );
  return {
    from: lists.reduce((joined, list) => `${joined} JOIN ${list} USING (candidate_id)`),
    values: {
      ...matches.values,
      ...Object.fromEntries(begins.map((term, index) => [`term${index}`, prefixPattern(term)])),
    },
  };
}

/** @returns the term with the fewest candidates, and their number, up to MAX_TOTAL + 1 */
async function findRarest(
  sql: Sql,
  { name, table }: ListSource<Columns>,
  search: Search,
  terms: readonly string[],
): Promise<{ rarest: string; found: number }> {
  let best = { rarest: '', found: Number.POSITIVE_INFINITY };
  for (const term of terms) {
    const { from, values } = candidatesOf(table, search, [term], MAX_TOTAL + 1);
    const count = statement(name, { found: int }, `SELECT COUNT(*) AS found FROM ${from}`);
    const found = (await sql.row(count, values))?.found ?? 0;
    if (found < best.found) best = { rarest: term, found };
    // Rare enough.
    if (found <= MAX_TOTAL / 10) break;
  }
  return best;
}

/** The first rows of the list without its search. */
function firstRows(source: ListSource<Columns>, filters: readonly Condition[]): Candidates {
  const filter = allOf(filters);
  return {
    from: `(SELECT id AS candidate_id FROM ${inListOrder(source).from} ${whereClause(filter)}
            ${orderBy(source)} LIMIT ${SAMPLE}) AS candidates`,
    values: filter.values,
  };
}

function orderBy({ order = newestFirst }: ListSource<Columns>): string {
  const { column, descending } = order.ifLong ?? order;
  const direction = descending ? 'DESC' : 'ASC';
  return `ORDER BY ${column.name} ${direction}, id ${direction}`;
}

/** Counts the rows of a sample that match. */
async function countInSample(
  sql: Sql,
  { name, table }: ListSource<Columns>,
  sample: Candidates,
  conditions: readonly Condition[],
): Promise<number> {
  const filter = allOf(conditions);
  const count = statement(
    name,
    { matching: int },
    `SELECT COUNT(*) AS matching FROM ${sample.from} STRAIGHT_JOIN ${table} ON id = candidate_id ${whereClause(filter)}`,
  );
  return (await sql.row(count, { ...sample.values, ...filter.values }))?.matching ?? 0;
}
