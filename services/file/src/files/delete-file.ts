import { assertOwnerOrAdmin, type Caller, kindOfStoredName, notFound, type Storage } from '@shop/core';
import type { FileRepository } from './file.repository';

interface Parts {
  files: Pick<FileRepository, 'findOwner' | 'delete'>;
  storage: Pick<Storage, 'delete'>;
}

/**
 * Deletes an upload. Product images have no row here and go with their products only.
 *
 * The bytes go first: once this has answered nobody can read them, and a call that was cut off can be repeated.
 * @throws AppError `not_found`, `forbidden`, `storage_unavailable`
 */
export const deleteFile =
  ({ files, storage }: Parts) =>
  async (caller: Caller, storedName: string): Promise<void> => {
    const ownerId = kindOfStoredName(storedName) && (await files.findOwner(storedName));
    if (!ownerId) throw notFound();
    assertOwnerOrAdmin(caller, ownerId);
    await storage.delete(storedName);
    if (!(await files.delete(storedName))) throw notFound();
  };
