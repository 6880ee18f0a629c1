// First: it instruments mysql2.
import '../tracing';

export {
  bigint,
  type Column,
  dateTime,
  decimal,
  flag,
  int,
  nullable,
  type RowOf,
  text,
  textOf,
  timestamp,
} from './columns';
export type { DatabaseConfig, PoolStats } from './connection-pool';
export { type DatabaseSettings, databaseSettings, sslOptions } from './connection-settings';
export { createDatabase, type Database, operationDeadline, pingDatabase, poolFitProblem } from './database';
export { contentionReason, mayHaveBeenWritten, onDuplicateKey, onMissingParent, onReferenced } from './errors';
export { emptyList, ownedIds, selectList } from './list';
export { type Condition, contains, equalsText, oneOf, when } from './list-condition';
export { amountColumn, type ListOrder, newestFirst, type SortColumn, textColumn, timeColumn } from './list-order';
export type { Search } from './list-search';
export { forUpdate, type LockWait, lockInIdOrder } from './lock-order';
export { type List, MAX_TOTAL, type Page, type Position } from './page';
export { MIGRATIONS_TABLE, UNFINISHED_RESTORE_TABLE } from './schema-tables';
export { containsPattern, type Sql } from './sql';
export { padded, type SqlValue, type SqlValues, type Statement, statement } from './statement';
export type { TableRight, TableRights } from './table-rights';
