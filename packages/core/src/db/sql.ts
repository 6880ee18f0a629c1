import type { SqlValues, Statement } from './statement';

export interface WriteResult {
  affectedRows: number;
  insertId: number;
}

/** Runs statements, on the pool or in a database transaction. Values are always bound, never interpolated. */
export interface Sql {
  rows<Row>(statement: Statement<Row>, values?: SqlValues): Promise<Row[]>;
  /** Returns the first row, or undefined if there is none. */
  row<Row>(statement: Statement<Row>, values?: SqlValues): Promise<Row | undefined>;
  write(statement: Statement, values?: SqlValues): Promise<WriteResult>;
}

/**
 * A LIKE pattern that matches `search` literally, anywhere in the text: `%`, `_` and `\` are escaped (LIKE's default escape
 * character is `\`). Use it with folded text and a folded column, which has a binary collation.
 *
 * @example
 * const FIND = statement('store.find', { id: int }, 'SELECT id FROM stores WHERE name_folded LIKE :pattern');
 * sql.rows(FIND, { pattern: containsPattern(foldText(search)) });
 */
export const containsPattern = (search: string): string => `%${prefixPattern(search)}`;

/** The same for texts that begin with `search`. */
export const prefixPattern = (search: string): string => `${search.replace(/[\\%_]/g, '\\$&')}%`;
