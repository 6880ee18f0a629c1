import { createHash } from 'node:crypto';
import type { Position } from '../db';
import { invalidCursor } from '../errors';

/** Of a position in a text column of 255 characters. */
export const MAX_CURSOR_LENGTH = 1500;

const DIGEST_BYTES = 16;
const CONTENT = /^([01]):([1-9]\d{0,15}):(.*)$/s;

/**
 * Returns a position as opaque text that `decodeCursor` accepts only with the same binding.
 * @param binding what the cursor belongs to: path, filters, order and user
 */
export function encodeCursor({ isLong, id, value }: Position, binding: string): string {
  const content = Buffer.from(`${isLong ? 1 : 0}:${id}:${value}`);
  return Buffer.concat([digest(binding, content), content]).toString('base64url');
}

/** @throws AppError `invalid_request` for any text that `encodeCursor` did not return for this binding */
export function decodeCursor(cursor: string, binding: string): Position {
  const bytes = Buffer.from(cursor, 'base64url');
  // The decoder skips unknown characters and unused bits.
  if (bytes.toString('base64url') !== cursor) throw invalidCursor();
  const content = bytes.subarray(DIGEST_BYTES);
  if (!digest(binding, content).equals(bytes.subarray(0, DIGEST_BYTES))) throw invalidCursor();
  const [, isLong, id, value = ''] = CONTENT.exec(content.toString()) ?? [];
  if (!Number.isSafeInteger(Number(id))) throw invalidCursor();
  return { isLong: isLong === '1', id: Number(id), value };
}

/** Without a key: a client that computes a cursor of its own gets nothing that the list would not show it anyway. */
function digest(binding: string, content: Buffer): Buffer {
  return createHash('sha256').update(`${binding}\n`).update(content).digest().subarray(0, DIGEST_BYTES);
}
