import { type DestinationStream, destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { AppError } from '../errors';
import { traceFields } from '../tracing';

export type { Logger } from 'pino';

/** Whatever is logged, under whichever object: these never reach a line. */
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

/**
 * JSON lines on standard output, or readable ones where that is a terminal. `service` stands in each of them, `trace_id`
 * in those of a traced request.
 */
export function createLogger(service: string, level: string, stream?: DestinationStream): Logger {
  const mixin = traceFields();
  return pino(
    {
      ...(mixin && { mixin }),
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
  if (process.stdout.isTTY) return pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', sync: true });
  return destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 });
}

/**
 * Driver errors carry the statement and its values (`sql`): those stay out of the log. An AppError is expected: what
 * caused it is worth a line, where it was thrown is not.
 */
function serializeError(error: unknown, withStack = true): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, errno } = error as NodeJS.ErrnoException;
  const stack = withStack && !(error instanceof AppError);
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    ...(stack ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause, stack) }),
  };
}
