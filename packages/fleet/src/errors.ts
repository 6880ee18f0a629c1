/** Something the person at the keyboard can act on: its message is printed alone, without a stack. */
export class FleetError extends Error {
  override readonly name: string = 'FleetError';
}

/** The command line is wrong: exit code 2. */
export class UsageError extends FleetError {
  override readonly name = 'UsageError';
}

// Structural, not `instanceof Error`: under jest, errors of Node's own modules come from another realm.
const fieldOf = (error: unknown, key: 'message' | 'code'): unknown =>
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

/** One line about an error that the person at the keyboard can mend; undefined for every other, which is a bug of ours. */
export function plainly(error: unknown): string | undefined {
  if (error instanceof FleetError) return error.message;
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return `${messageOf(error)} (it is another user's? Then run this as that user)`;
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EROFS':
      return messageOf(error);
    default:
      return undefined;
  }
}
