import type { Caller } from '@shop/core/auth';
import { mayHaveBeenWritten } from '@shop/core/db';
import { displayName, mediaTypeOf, type UploadedFile as ReceivedFile } from '@shop/core/storage';
import { newStoredName, uploadUrl } from '@shop/shop';
import type { FileContext } from '../service';
import type { UploadedFile } from './files.schemas';
import { insertFile } from './files.sql';

/** Stores the bytes before their row, so that no row refers to a missing file. */
export async function uploadFile(ctx: FileContext, caller: Caller, file: ReceivedFile): Promise<UploadedFile> {
  const { kind, size } = file;
  const storedName = newStoredName(caller.id, kind);
  const originalName = displayName(file.originalName);
  await ctx.storage.put(storedName, file);
  try {
    await insertFile(ctx.db, caller.id, { storedName, originalName, contentType: mediaTypeOf(kind), size });
  } catch (error) {
    if (mayHaveBeenWritten(error))
      ctx.logger.warn({ file: storedName }, 'the database response to an upload was lost; keeping the file');
    else await ctx.storage.discard([storedName]);
    throw error;
  }
  return { url: uploadUrl(storedName), filename: originalName, size };
}
