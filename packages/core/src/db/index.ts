export {
  bigint,
  type Column,
  type Columns,
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
export { createDatabase, type Database, operationDeadline } from './database';
export { mayHaveBeenWritten, onDuplicateKey, onMissingParent, onReferenced } from './errors';
export { type Condition, contains, equalsText, type ListSource, oneOf, ownedIds, selectList, when } from './list';
export { forUpdate, type LockWait, lockInIdOrder } from './lock-order';
export { containsPattern, type Sql, type WriteResult } from './sql';
export { type SqlValue, type SqlValues, type Statement, statement } from './statement';
