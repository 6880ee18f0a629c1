import { forbidden } from '../errors';
import type { Caller } from './access-token';

/** Asserts that the caller owns the resource or is an admin. @throws AppError `forbidden` */
export function assertOwnerOrAdmin(caller: Caller, ownerId: number): void {
  if (caller.role !== 'admin' && caller.id !== ownerId) throw forbidden();
}

/**
 * The same as a value for the condition of a statement, `user_id = COALESCE(:ownerId, user_id)`: the user whose rows the caller may
 * use, null for all users.
 */
export const ownerLimit = (caller: Caller): number | null => (caller.role === 'admin' ? null : caller.id);
