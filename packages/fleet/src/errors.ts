/** Something the person at the keyboard can act on: its message is printed alone, without a stack. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
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
