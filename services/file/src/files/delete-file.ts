import { assertOwnerOrAdmin, type Caller } from '@shop/core/auth';
import { notFound } from '@shop/core/errors';
import { assertMatches, type IfMatch } from '@shop/core/preconditions';
import { kindOfStoredName } from '@shop/shop';
import type { FileContext } from '../service';
import { deleteFileRow, findFileOwner } from './files.sql';

/**
 * Deletes an upload. Product images have no row in files: they are deleted with their products.
 *
 * Deletes the bytes first: after the response nobody can read them, and an interrupted call can be retried.
 */
export async function deleteFile(
  { db, storage }: FileContext,
  caller: Caller,
  storedName: string,
  ifMatch: IfMatch<string>,
): Promise<void> {
  const ownerId = kindOfStoredName(storedName) && (await findFileOwner(db, storedName));
  if (!ownerId) throw notFound();
  assertOwnerOrAdmin(caller, ownerId);
  // No lock: the bytes of a stored name never change.
  assertMatches(ifMatch, storedName);
  await storage.delete(storedName);
  if (!(await deleteFileRow(db, storedName))) throw notFound();
}
