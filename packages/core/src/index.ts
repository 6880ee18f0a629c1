// First: it instruments what is loaded after it.
import './tracing/tracing';

export { type AccessTokens, accessTokens, type Caller, type Role, roles } from './auth/access-token';
export { assertOwnerOrAdmin } from './auth/assert-owner-or-admin';
export { type AnswerCache, createAnswerCache } from './cache/answer-cache';
export { createGeneration, type GenerationStore } from './cache/generation';
export { invalidateIfGone } from './cache/invalidate-if-gone';
export { connectRedis, type RedisLink } from './cache/redis';
export { cacheScope, productScopes } from './cache/scopes';
export { runCommand } from './command';
export { type AppEnv, type CoreConfig, loadConfig } from './config/core-config';
export { ConfigError, type Env, readEnv, setting, skippedLines } from './config/load-env';
export { createDatabase, type Database, operationDeadline } from './db/database';
export { mayHaveBeenWritten, onDuplicateKey, onMissingParent, onReferenced } from './db/errors';
export { type Condition, contains, equalsText, ifGiven, oneOf, ownedIds, selectList } from './db/legacy-list';
export { forUpdate, type LockWait, lockInIdOrder } from './db/lock-order';
export { cents, centsFromDecimal, centsFromNumber, centsToDecimal, centsToNumber, MAX_CENTS } from './db/money';
export { repository } from './db/repository';
export { containsPattern, inList, type Sql, type SqlValue, type WriteResult } from './db/sql';
export { beforeDeadline } from './deadline';
export {
  AppError,
  defineError,
  type ErrorDefinition,
  errorCode,
  type FieldError,
  fieldErrorCodes,
} from './errors/app-error';
export * from './errors/common-errors';
export { accepted, created, type Endpoint, endpoint, noContent, ok, type UploadedFile } from './http/endpoint';
export { mergeOpenApi, type OpenApiDocument, openApiDocument } from './http/openapi';
export { type Job, startJobs } from './jobs';
export { clientNetwork } from './limits/rate-limit';
export { createLogger, type Logger } from './log/logger';
export { createMetrics, type Metrics } from './metrics/metrics';
export * from './schemas/schemas';
export { buildService, type Resources, type RunningApp, runService, type ServiceDefinition } from './service';
export { createStorage } from './storage/create-storage';
export { displayName, MAX_FILE_BYTES } from './storage/file-content';
export { type Storage, type StorageSettings, type StoredFile, storageSettings } from './storage/storage';
export {
  type FileKind,
  fileKinds,
  imageKinds,
  kindOfStoredName,
  mediaTypeOf,
  newStoredName,
  uploadUrl,
} from './storage/stored-name';
export { foldedWords, foldText, wordColumn } from './text/fold-text';
