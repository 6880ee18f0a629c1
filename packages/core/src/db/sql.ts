import { padded, type SqlValue, type SqlValues, type Statement } from './statement';

export interface WriteResult {
  affectedRows: number;
  insertId: number;
}

/** A place to run statements: the pool, or the one connection of a database transaction. Values are always bound, never spliced. */
export interface Sql {
  rows<Row>(statement: Statement<Row> | string, values?: SqlValues | SqlValue[]): Promise<Row[]>;
  /** The first row; undefined where there is none. */
  row<Row>(statement: Statement<Row>, values?: SqlValues): Promise<Row | undefined>;
  write(statement: Statement | string, values?: SqlValues | SqlValue[]): Promise<WriteResult>;
  /** The same place for statements that count as `query` in the metrics; absent where nothing is measured. */
  named?(query: string): Sql;
}

/**
 * A LIKE pattern that finds `search` literally, anywhere: `%`, `_` and `\` are escaped (LIKE's default escape is `\`).
 * For a folded column, which has a binary collation, and folded text.
 *
 * @example
 * sql.rows('SELECT id FROM stores WHERE name_folded LIKE ?', [containsPattern(foldText(search))]);
 */
export const containsPattern = (search: string): string => `%${search.replace(/[\\%_]/g, '\\$&')}%`;

/**
 * `?` placeholders for an IN list, padded with repetitions to a power of two: a few statements instead of one for each
 * length, so that the server's prepared statements stay bounded.
 * @param values at least one
 */
export function inList<T extends SqlValue>(values: readonly T[]): { placeholders: string; values: T[] } {
  const list = values.length === 0 ? [] : padded(values);
  return { placeholders: list.map(() => '?').join(', '), values: list };
}

export type { SqlValue, SqlValues, Statement } from './statement';
