import { mayHaveBeenWritten, type Sql } from '@shop/core/db';
import type { Attempt } from '@shop/core/idempotency';
import type { Logger } from '@shop/core/log';
import type { Resources } from '@shop/core/service';
import { createStorage, type Storage, type StorageSettings, type UploadedFile } from '@shop/core/storage';
import { kindOfStoredName } from './stored-name';

/** The storage for the uploads of all services: a folder or a bucket used for nothing else. */
export const createUploadStorage = (settings: StorageSettings, { logger }: { logger: Logger }): Storage =>
  createStorage(settings, { logger, kindOf: kindOfStoredName });

/**
 * Stores a file before the row that refers to it, so that no row refers to a missing file. Deletes the file again if no row
 * refers to it in the end: `write` has failed, or an earlier attempt has stored another one.
 * @param stored undefined: only writes
 */
export async function writeWithFile<T extends object>(
  { storage, idempotency, logger }: Pick<Resources, 'idempotency' | 'logger'> & { storage: Storage },
  stored: { name: string; file: UploadedFile } | undefined,
  attempt: Attempt | undefined,
  write: (sql: Sql) => Promise<T>,
  options?: { isOneStatement?: boolean },
): Promise<T> {
  if (!stored) return await idempotency.once(attempt, write, options);
  const earlier = await idempotency.find<T>(attempt);
  if (earlier) return earlier;
  const { name, file } = stored;
  await storage.put(name, file);
  try {
    const result = await idempotency.once(attempt, write, options);
    if (attempt?.replay !== undefined) await storage.discard([name]);
    return result;
  } catch (error) {
    if (mayHaveBeenWritten(error))
      logger.warn({ file: name }, 'the database response to a write with a file was lost; keeping the file');
    else await storage.discard([name]);
    throw error;
  }
}
