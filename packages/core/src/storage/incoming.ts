import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { storageUnavailable } from '../errors';
import type { FileKind } from './file-kinds';

/** A file that was received whole and that no client can read yet. */
export interface IncomingFile {
  /** Where its bytes wait. */
  readonly path: string;
  readonly size: number;
  /** Deletes the bytes. Never rejects: leftovers are deleted later. */
  discard(): Promise<void>;
}

/** The accepted file of a multipart request. It is deleted after the request unless the use case stores it. */
export interface UploadedFile extends IncomingFile {
  originalName: string;
  kind: FileKind;
}

/** No upload takes this long: an older file was left by a process that was killed. */
const STALE_MS = 3_600_000;

/** The folder where uploads wait until they are whole and accepted, created on first use. */
export function incomingFolder(folder: string) {
  let cleanedAt = 0;

  async function prepare(): Promise<void> {
    await mkdir(folder, { recursive: true });
    if (Date.now() - cleanedAt < STALE_MS) return;
    cleanedAt = Date.now();
    await deleteStale(folder).catch(() => undefined);
  }

  return {
    /**
     * Writes `content` to disk as it arrives, at the pace of the disk. Rejects with whatever `content` throws; then, as
     * after a failed write, no file is left.
     * @throws AppError `storage_unavailable`
     */
    async receive(content: AsyncIterable<Buffer>): Promise<IncomingFile> {
      await orUnavailable(prepare);
      const file = path.join(folder, randomUUID());
      const discard = () => rm(file, { force: true }).catch(() => undefined);
      const handle = await orUnavailable(() => open(file, 'wx'));
      try {
        const size = await writeAll(handle, content);
        return { path: file, size, discard };
      } catch (error) {
        await discard();
        throw error;
      } finally {
        // What had to be durable was synced before.
        await handle.close().catch(() => undefined);
      }
    },
  };
}

/** Writes through to the disk. @returns how many bytes there were */
async function writeAll(handle: FileHandle, content: AsyncIterable<Buffer>): Promise<number> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    await orUnavailable(() => handle.writeFile(chunk));
  }
  await orUnavailable(() => handle.sync());
  return size;
}

async function deleteStale(folder: string): Promise<void> {
  for await (const { name } of await opendir(folder)) {
    const file = path.join(folder, name);
    const { mtimeMs } = await stat(file);
    if (mtimeMs < Date.now() - STALE_MS) await rm(file, { force: true });
  }
}

/** A full disk, a read-only one, missing permissions: the operator has to act, and the client may try again. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code ? storageUnavailable({ cause: error }) : error;
  }
}
