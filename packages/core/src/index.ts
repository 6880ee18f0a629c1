// First: it instruments what is loaded after it.
import './tracing';

export * from './auth';
export {
  type AnswerCache,
  createAnswerCache,
  createGeneration,
  type GenerationStore,
  invalidateIfGone,
} from './cache';
export { ConfigError, type Env, readEnv, setting, skippedLines } from './config';
export {
  containsPattern,
  createDatabase,
  type Database,
  forUpdate,
  type List,
  type LockWait,
  lockInIdOrder,
  MAX_TOTAL,
  mayHaveBeenWritten,
  onDuplicateKey,
  onMissingParent,
  onReferenced,
  operationDeadline,
  type Page,
  type Sql,
  type SqlValue,
  type WriteResult,
} from './db';
export * from './errors';
export * from './http';
export { createLogger, type Logger } from './log';
export { createMetrics, type Metrics } from './metrics';
export { clientNetwork } from './rate-limit';
export { connectRedis, type RedisLink } from './redis';
// Not './service': a build of before this folder existed left a file of that name in dist/.
export * from './service/index';
export * from './storage';
export * from './text';
export { beforeDeadline } from './time';
