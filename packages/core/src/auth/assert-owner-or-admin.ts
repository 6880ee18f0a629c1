import { forbidden } from '../errors';
import type { Caller } from './access-token';

/** "Owner or admin", the rule of every resource that belongs to a user. @throws AppError `forbidden` */
export function assertOwnerOrAdmin(caller: Caller, ownerId: number): void {
  if (caller.role !== 'admin' && caller.id !== ownerId) throw forbidden();
}
