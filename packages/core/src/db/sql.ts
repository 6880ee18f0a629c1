/** What may be bound to a `?`. Integers travel as strings: mysql2 sends numbers as DOUBLE, which MySQL refuses in LIMIT. */
export type SqlValue = string | number | bigint | boolean | Date | Buffer | null;

export interface WriteResult {
  affectedRows: number;
  insertId: number;
}

/** A place to run statements: the pool, or the one connection of a transaction. Values are always bound, never spliced. */
export interface Sql {
  rows<T>(statement: string, values?: SqlValue[]): Promise<T[]>;
  write(statement: string, values?: SqlValue[]): Promise<WriteResult>;
  /** The same place for statements that count as `query` in the metrics; absent where nothing is measured. */
  named?(query: string): Sql;
}

export const bindable = (value: SqlValue): string | Date | Buffer | null => {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value;
};

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
  const size = 2 ** Math.ceil(Math.log2(Math.max(values.length, 1)));
  const last = values.at(-1);
  const padded = last === undefined ? [] : [...values, ...Array<T>(size - values.length).fill(last)];
  return { placeholders: padded.map(() => '?').join(', '), values: padded };
}
