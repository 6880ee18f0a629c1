import type { Caller } from '@shop/core/auth';
import type { Sql } from '@shop/core/db';
import type { Attempt } from '@shop/core/idempotency';
import { displayName, mediaTypeOf, type UploadedFile as ReceivedFile } from '@shop/core/storage';
import { newStoredName, uploadUrl, writeWithFile } from '@shop/shop';
import type { FileContext } from '../service';
import type { UploadedFile } from './files.schemas';
import { insertFile } from './files.sql';

export async function uploadFile(
  ctx: FileContext,
  caller: Caller,
  file: ReceivedFile,
  attempt: Attempt | undefined,
): Promise<UploadedFile> {
  const { kind, size } = file;
  const storedName = newStoredName(caller.id, kind);
  const originalName = displayName(file.originalName);
  async function addFile(sql: Sql): Promise<UploadedFile> {
    await insertFile(sql, caller.id, { storedName, originalName, contentType: mediaTypeOf(kind), size });
    return { url: uploadUrl(storedName), filename: originalName, size };
  }
  return await writeWithFile(ctx, { name: storedName, file }, attempt, addFile, { isOneStatement: true });
}
