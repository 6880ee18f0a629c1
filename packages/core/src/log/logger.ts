import { type DestinationStream, destination, type Logger, pino } from 'pino';
import { AppError } from '../errors';
import { traceFields } from '../tracing';
import { requestIdFields } from './request-id';

export type { Logger } from 'pino';

/** Values of these keys are never logged, at the top level or one level below. */
const SECRET_KEYS = [
  'password',
  'token',
  'refresh_token',
  'id_token',
  'access_token',
  'authorization',
  'cookie',
  'secret',
];

const NO_FIELDS = {};

/**
 * Writes JSON lines to standard output, or readable lines if that is a terminal. Every line has `service`, the lines of
 * a request have `request_id`, and those of a traced one `trace_id`.
 */
export function createLogger(service: string, level: string, stream?: DestinationStream): Logger {
  const trace = traceFields();
  return pino(
    {
      // The line of a request has its id already.
      mixin: (line: object) => (trace || !('request_id' in line) ? { ...requestIdFields(), ...trace?.() } : NO_FIELDS),
      mixinMergeStrategy: (line: object, fields: object) => (fields === NO_FIELDS ? line : { ...fields, ...line }),
      level,
      base: { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[redacted]' },
      serializers: { err: (error: unknown) => serializeError(error) },
    },
    stream ?? standardOutput(),
  );
}

function standardOutput(): DestinationStream {
  if (process.stdout.isTTY) {
    // Loaded only here, because a service without a terminal never uses it.
    const pretty = require('pino-pretty') as typeof import('pino-pretty');
    return pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', sync: true });
  }
  return destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
}

/** Leaves out the `sql` of driver errors (it has values), and the stack of an AppError (it is expected). */
function serializeError(error: unknown, withStack = true): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, errno } = error as NodeJS.ErrnoException;
  const includeStack = withStack && !(error instanceof AppError);
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    ...(includeStack ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause, includeStack) }),
  };
}
