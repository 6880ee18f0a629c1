import {
  type Caller,
  displayName,
  type Logger,
  mayHaveBeenWritten,
  mediaTypeOf,
  newStoredName,
  type Storage,
  type UploadedFile,
  uploadUrl,
} from '@shop/core';
import type { FileRepository } from './file.repository';

interface Parts {
  files: Pick<FileRepository, 'insert'>;
  storage: Pick<Storage, 'put' | 'discard'>;
  logger: Logger;
}

/**
 * The bytes first, then their row, so that no row points to nothing. A refused row takes its bytes back.
 * @throws AppError `storage_unavailable`
 */
export const uploadFile =
  ({ files, storage, logger }: Parts) =>
  async (caller: Caller, file: UploadedFile): Promise<{ url: string; filename: string; size: number }> => {
    const storedName = newStoredName(caller.id, file.kind);
    const filename = displayName(file.originalName);
    await storage.put(storedName, file);
    try {
      await files.insert({
        userId: caller.id,
        storedName,
        originalName: filename,
        contentType: mediaTypeOf(file.kind),
        sizeBytes: file.size,
      });
    } catch (error) {
      if (mayHaveBeenWritten(error)) logger.warn({ file: storedName }, 'kept: its row may have been written');
      else await storage.discard([storedName]);
      throw error;
    }
    return { url: uploadUrl(storedName), filename, size: file.size };
  };
