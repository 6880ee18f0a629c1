import { termQuery } from '../text';
import { type Columns, int } from './columns';
import { allOf, type Condition, whereClause } from './list-condition';
import { orderBy } from './list-order';
import {
  byId,
  COUNT_MATCHES,
  countUpTo,
  firstRows,
  givenConditions,
  inListOrder,
  type ListPlan,
  type ListSource,
  notInTableOrder,
  orderIfLong,
} from './list-plan';
import { MAX_TOTAL, type Page } from './page';
import { prefixPattern, type Sql } from './sql';
import { statement } from './statement';

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

/** How many of the list's first rows are tested to see whether matches are frequent there. */
const SAMPLE = MAX_TOTAL / 2;

/** With so many among them, the first rows of the list soon have more matches than are counted. */
const FREQUENT = SAMPLE / 10;

/** How many of the searched words are looked up to find a rare one. */
const MAX_LOOKUPS = 4;

/**
 * The rows come from a rare word, or from the filters if they leave few rows, and the other conditions are tested. If nothing is rare,
 * the matches are counted, and the page is read in the list's order if that fills it quickly. See docs/decisions/0046-indexed-search.md.
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
  const [longest = '', ...others] = terms.slice(0, MAX_LOOKUPS);
  const tests = isExact ? filters : all;
  const byFilters: Way = {
    count: (max) => countUpTo(max, sql, source, { from: source.table, conditions: filters, values: {} }),
    plan: () => ({ ...notInTableOrder(source), conditions: all, values, isLong: false, total: COUNT_MATCHES }),
  };
  for (const max of [MAX_TOTAL / 10, MAX_TOTAL]) {
    for (const way of [byTerm(longest), ...(filters.length === 0 ? [] : [byFilters]), ...others.map(byTerm)]) {
      const found = await way.count(max);
      if (found <= max) return way.plan(tests.length === 0 || found === 0 ? found : COUNT_MATCHES);
    }
  }
  if (after) return byTerm(longest).plan(undefined);
  if (tests.length === 0) return { ...inOrder, total: MAX_TOTAL + 1 };
  const inFirstRows = await countUpTo(SAMPLE, sql, source, firstRows(source, SAMPLE, all));
  const total =
    inFirstRows >= FREQUENT
      ? await countUpTo(MAX_TOTAL, sql, source, inOrder, orderBy(orderIfLong(source)))
      : await countTerm(MAX_TOTAL, sql, source, search, longest, tests);
  // More than are counted are probably frequent, unless there are none among the first rows.
  const enough = total > MAX_TOTAL ? 1 : Math.min(page * limit + 1, FREQUENT);
  return inFirstRows >= enough ? { ...inOrder, total } : byTerm(longest).plan(total);

  function byTerm(term: string): Way {
    return {
      count: (max) => countTerm(max, sql, source, search, term),
      plan(total) {
        const { text, values } = candidatesOf(source, search, term);
        const from = `(${text}) AS candidates STRAIGHT_JOIN ${byId(source.table)} ON id = candidate_id`;
        return { from, inListOrder: false, conditions: tests, values, isLong: false, total };
      },
    };
  }
}

/** A way to find the rows, if it has few candidates. */
interface Way {
  /** Counts up to `max` + 1 candidates. */
  count(max: number): Promise<number>;
  plan(total: ListPlan['total']): ListPlan;
}

/** Selects the ids, each once, of the rows that have a term which begins with the text, and match the conditions. */
function candidatesOf(
  { table }: ListSource<Columns>,
  { matches, terms, withoutTerms }: Search,
  term: string,
  tests: readonly Condition[] = [],
  limit?: number,
): Condition {
  const [distinct, upTo] = limit === undefined ? ['', ''] : ['DISTINCT', `LIMIT ${limit}`];
  const tested = tests.length === 0 ? '' : `STRAIGHT_JOIN ${byId(table)} ON id = ${terms.id}`;
  const hasTerm = allOf([{ text: 'term LIKE :term', values: { term: prefixPattern(term) } }, ...tests]);
  const hasNone = allOf([...new Set([{ text: withoutTerms, values: {} }, matches, ...tests])]);
  return {
    text: `(SELECT ${distinct} ${terms.id} AS candidate_id FROM ${terms.table} ${tested} ${whereClause(hasTerm)} ${upTo})
           UNION (SELECT id FROM ${table} ${whereClause(hasNone)})`,
    values: { ...hasNone.values, ...hasTerm.values },
  };
}

/** Counts up to `max` + 1 rows that have a term which begins with the text, and match the conditions. */
async function countTerm(
  max: number,
  sql: Sql,
  source: ListSource<Columns>,
  search: Search,
  term: string,
  tests: readonly Condition[] = [],
): Promise<number> {
  const { text, values } = candidatesOf(source, search, term, tests, max + 1);
  const count = statement(source.name, { found: int }, `SELECT COUNT(*) AS found FROM (${text}) AS candidates`);
  return Math.min(max + 1, (await sql.row(count, values))?.found ?? 0);
}
