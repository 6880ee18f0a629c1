import { foldText } from '../text';
import { containsPattern } from './sql';
import type { SqlValue, SqlValues } from './statement';

/** A SQL condition on the columns of one table, with the values of its placeholders. */
export interface Condition {
  text: string;
  values: SqlValues;
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

/** One condition. Its text is empty if there are none. */
export const allOf = (conditions: readonly Condition[]): Condition => ({
  text: conditions.map(({ text }) => text).join(' AND '),
  values: Object.assign({}, ...conditions.map(({ values }) => values)),
});

export const whereClause = ({ text }: Condition): string => (text === '' ? '' : `WHERE ${text}`);
