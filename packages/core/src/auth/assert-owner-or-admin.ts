import { forbidden } from '../errors';
import type { Caller } from './access-token';

/** Asserts that the caller owns the resource or is an admin. @throws AppError `forbidden` */
export function assertOwnerOrAdmin(caller: Caller, ownerId: number): void {
  if (caller.role !== 'admin' && caller.id !== ownerId) throw forbidden();
}
