import type { SqlValues, Statement } from './statement';

export interface WriteResult {
  affectedRows: number;
  insertId: number;
}

/** A place to run statements: the pool, or the one connection of a database transaction. Values are always bound, never spliced. */
export interface Sql {
  rows<Row>(statement: Statement<Row>, values?: SqlValues): Promise<Row[]>;
  /** The first row; undefined where there is none. */
  row<Row>(statement: Statement<Row>, values?: SqlValues): Promise<Row | undefined>;
  write(statement: Statement, values?: SqlValues): Promise<WriteResult>;
}

/**
 * A LIKE pattern that finds `search` literally, anywhere: `%`, `_` and `\` are escaped (LIKE's default escape is `\`).
 * For a folded column, which has a binary collation, and folded text.
 *
 * @example
 * const FIND = statement('store.find', { id: int }, 'SELECT id FROM stores WHERE name_folded LIKE :pattern');
 * sql.rows(FIND, { pattern: containsPattern(foldText(search)) });
 */
export const containsPattern = (search: string): string => `%${search.replace(/[\\%_]/g, '\\$&')}%`;
