/** Something the person at the keyboard can act on: its message is printed alone, without a stack. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
}

/** The text of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The `code` of a system or driver error, e.g. `ECONNREFUSED`. */
export const codeOf = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
};
