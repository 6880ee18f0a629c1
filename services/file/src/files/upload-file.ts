import {
  acceptFile,
  type Caller,
  displayName,
  fileKinds,
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
 * @throws AppError `invalid_request`, `unsupported_media_type`, `storage_unavailable`
 */
export const uploadFile =
  ({ files, storage, logger }: Parts) =>
  async (caller: Caller, file: UploadedFile): Promise<{ url: string; filename: string; size: number }> => {
    const kind = acceptFile(file, fileKinds, 'file');
    const storedName = newStoredName(caller.id, kind);
    const filename = displayName(file.originalName);
    const size = file.bytes.length;
    await storage.put(storedName, file.bytes);
    try {
      await files.insert({
        userId: caller.id,
        storedName,
        originalName: filename,
        contentType: mediaTypeOf(kind),
        sizeBytes: size,
      });
    } catch (error) {
      if (mayHaveBeenWritten(error)) logger.warn({ file: storedName }, 'kept: its row may have been written');
      else await storage.discard([storedName]);
      throw error;
    }
    return { url: uploadUrl(storedName), filename, size };
  };
