import { createHash, randomUUID } from 'node:crypto';
import fs, { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { storageUnavailable } from '../errors';
import type { FileKind } from './file-kinds';

/** A completely received file that no client can read yet. */
export interface IncomingFile {
  readonly size: number;
  /**
   * Returns the path of the temporary file, whose content is synced. A small file is written there by the first call.
   * @throws AppError `storage_unavailable`
   */
  save(): Promise<string>;
  /** Returns the SHA-256 of the content, in hex. Call it before `put`. @throws AppError `storage_unavailable` */
  sha256(): Promise<string>;
  /** Deletes the temporary file. Never rejects: leftovers are deleted later. */
  discard(): Promise<void>;
}

/** Sees all bytes while they arrive. What it throws ends the reception. */
export interface ContentCheck {
  push(chunk: Buffer): void;
  end(): void;
}

/** The accepted file of a multipart request. Deleted after the request unless the use case stores it. */
export interface UploadedFile extends IncomingFile {
  originalName: string;
  kind: FileKind;
}

/** Takes less than that of `fs/promises`, which makes a handle. */
const writeFile = promisify(fs.writeFile);

/** No upload takes this long, so an older file was left behind by a killed process. */
const STALE_MS = 3_600_000;

/** Files up to this size stay in memory until they are saved. Then they are written at once. */
const IN_MEMORY_BYTES = 64 * 1024;

/** The folder for uploads that are not complete and accepted yet. Created on first use. */
export function incomingFolder(folder: string) {
  let cleanedAt = 0;

  async function cleanHourly(): Promise<void> {
    if (Date.now() - cleanedAt < STALE_MS) return;
    cleanedAt = Date.now();
    await deleteStale(folder).catch(() => undefined);
  }

  return {
    /**
     * Keeps a small file in memory and writes a larger one to disk while it arrives. Reads no faster than it can write. Rejects
     * with whatever `content` or `check` throws. After any failure no file is left.
     * @throws AppError `storage_unavailable`
     */
    async receive(content: AsyncIterable<Buffer>, check?: ContentCheck): Promise<IncomingFile> {
      await cleanHourly();
      const file = temporaryFile(path.join(folder, randomUUID()));
      try {
        for await (const chunk of content) {
          check?.push(chunk);
          await file.append(chunk);
        }
        check?.end();
        return await file.finish();
      } catch (error) {
        await file.discard();
        throw error;
      }
    },
  };
}

function temporaryFile(file: string) {
  let size = 0;
  /** The content, while it is not on disk. */
  let held: Buffer | undefined = Buffer.alloc(0);
  let handle: FileHandle | undefined;
  let mayExist = false;

  /** Creates the folder, too, if there is none. */
  async function create<T>(work: () => Promise<T>): Promise<T> {
    mayExist = true;
    try {
      return await work();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await mkdir(path.dirname(file), { recursive: true });
      return await work();
    }
  }

  async function writeChunk(bytes: Buffer): Promise<void> {
    handle ??= await create(() => open(file, 'wx'));
    await handle.writeFile(bytes);
  }

  /** An error here does not matter: the content is already synced, or not needed. */
  async function close(): Promise<void> {
    await handle?.close().catch(() => undefined);
    handle = undefined;
  }

  async function save(): Promise<string> {
    const bytes = held;
    if (bytes) await orUnavailable(() => create(() => writeFile(file, bytes, { flag: 'wx', flush: true })));
    held = undefined;
    return file;
  }

  async function sha256(): Promise<string> {
    const hash = createHash('sha256');
    if (held) hash.update(held);
    else await orUnavailable(() => pipeline(createReadStream(file), hash));
    return hash.digest('hex');
  }

  async function discard(): Promise<void> {
    held = undefined;
    await close();
    if (mayExist) await unlink(file).catch(() => undefined);
    mayExist = false;
  }

  return {
    async append(chunk: Buffer): Promise<void> {
      size += chunk.length;
      // One buffer, not a list: a chunk of one byte takes a hundred times as much memory.
      const bytes = held?.length ? Buffer.concat([held, chunk]) : chunk;
      held = held && size <= IN_MEMORY_BYTES ? bytes : undefined;
      if (!held) await orUnavailable(() => writeChunk(bytes));
    },

    async finish(): Promise<IncomingFile> {
      const opened = handle;
      if (opened) await orUnavailable(() => opened.sync());
      await close();
      return { size, save, sha256, discard };
    },

    discard,
  };
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
