import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { storageUnavailable } from '../errors';
import type { FileKind } from './file-kinds';

/** A completely received file that no client can read yet. */
export interface IncomingFile {
  /** The path of the temporary file. */
  readonly path: string;
  readonly size: number;
  /** Returns the SHA-256 of the content, in hex. Call it before `put`. @throws AppError `storage_unavailable` */
  sha256(): Promise<string>;
  /** Deletes the temporary file. Never rejects: leftovers are deleted later. */
  discard(): Promise<void>;
}

/** The accepted file of a multipart request. Deleted after the request unless the use case stores it. */
export interface UploadedFile extends IncomingFile {
  originalName: string;
  kind: FileKind;
}

/** No upload takes this long, so an older file was left behind by a killed process. */
const STALE_MS = 3_600_000;

/** The folder for uploads that are not complete and accepted yet. Created on first use. */
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
     * Writes `content` to disk while it arrives, and reads no faster than it can write. Rejects with whatever `content` throws.
     * After any failure no file is left.
     * @throws AppError `storage_unavailable`
     */
    async receive(content: AsyncIterable<Buffer>): Promise<IncomingFile> {
      await orUnavailable(prepare);
      const file = path.join(folder, randomUUID());
      const discard = () => rm(file, { force: true }).catch(() => undefined);
      const handle = await orUnavailable(() => open(file, 'wx'));
      try {
        const size = await writeAll(handle, content);
        return { path: file, size, sha256: () => orUnavailable(() => sha256Of(file)), discard };
      } catch (error) {
        await discard();
        throw error;
      } finally {
        // An error here does not matter: the content is already synced.
        await handle.close().catch(() => undefined);
      }
    },
  };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Writes and syncs the content. @returns the number of bytes */
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

/** Maps disk errors (disk full, read-only, no permission) to 503: the operator must act, and the client may retry. */
export async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code ? storageUnavailable({ cause: error }) : error;
  }
}
