import { type DestinationStream, destination, type Logger, pino } from 'pino';

export type { Logger } from 'pino';

/** Whatever is logged, under whichever object: these never reach a line. */
const SECRET_KEYS = ['password', 'token', 'refresh_token', 'id_token', 'access_token', 'authorization', 'cookie', 'secret'];

/** JSON lines on standard output. `service` stands in each of them. */
export function createLogger(service: string, level: string, stream?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*["${key}"]`]), censor: '[redacted]' },
      serializers: { err: serializeError },
    },
    stream ?? destination({ dest: 1, sync: false, minLength: 4096, periodicFlush: 100 }),
  );
}

/** Driver errors carry the statement and its values (`sql`): those stay out of the log. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, errno } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(errno === undefined ? {} : { errno }),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}
