/** An error that the operator can fix. Only its message is printed, without a stack trace. */
export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
}

/** The command line is wrong: exit code 2. */
export class UsageError extends OperatorError {
  override readonly name = 'UsageError';
}

// Structural, not `instanceof Error`: under jest, errors of Node's own modules come from another realm.
const fieldOf = (error: unknown, key: 'message' | 'code' | 'name'): unknown =>
  typeof error === 'object' && error !== null && key in error ? (error as Record<string, unknown>)[key] : undefined;

/** The text of whatever was thrown. */
export const messageOf = (error: unknown): string => {
  const message = fieldOf(error, 'message');
  return typeof message === 'string' ? message : String(error);
};

/** The `code` of a system or driver error, e.g. `ECONNREFUSED`. */
export const codeOf = (error: unknown): string | undefined => {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' ? code : undefined;
};

/** For errors of core, which takes long to load, and most commands do not need it. */
export const isNamed = (error: unknown, name: string): boolean => fieldOf(error, 'name') === name;

/** The text of an error that the operator can fix; undefined for all others, which are our bugs. */
export function operatorMessage(error: unknown): string | undefined {
  if (error instanceof OperatorError || isNamed(error, 'ConfigError')) return messageOf(error);
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return `${messageOf(error)} (does it belong to another user? Then run this as that user)`;
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EROFS':
      return messageOf(error);
    default:
      return undefined;
  }
}
