import { AppError } from '@shop/core/errors';

/** A problem that the operator can fix. Its message is printed without a stack trace. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The reason, for the operator: the message of an AppError is for clients, and its cause says what happened. */
export function reasonOf(error: unknown): string {
  if (error instanceof AppError && error.cause !== undefined) return reasonOf(error.cause);
  const { message, code, name }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  // A connection error has a code; for a host with several IP addresses it has no message.
  return message || code || name;
}
