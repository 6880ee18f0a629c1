import { randomUUID } from 'node:crypto';
import { link, mkdir, open, opendir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import send from 'send';
import type { AppError } from '../errors/app-error';
import { notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors/common-errors';
import type { StorageBackend } from './storage';
import { kindOfStoredName } from './stored-name';

/** Where bytes wait until they are whole. In the folder, so that they move by a link and not by copying. */
const INCOMING = '.incoming';
/** No upload takes so long: what is older was left by a crash. */
const STALE_MS = 3_600_000;

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Files in a local folder, made on first use. */
export function localStorage(folder: string): StorageBackend {
  const root = path.resolve(folder);
  const incoming = path.join(root, INCOMING);
  let swept: Promise<void> | undefined;

  const pathOf = (name: string): string => {
    if (!kindOfStoredName(name)) throw new Error(`not a stored name: ${name}`);
    return path.join(root, name);
  };

  /** Once per process: takes away what a crash left unfinished. */
  async function sweepIncoming(): Promise<void> {
    for await (const { name } of await opendir(incoming)) {
      const leftover = path.join(incoming, name);
      const { mtimeMs } = await stat(leftover);
      if (mtimeMs < Date.now() - STALE_MS) await rm(leftover, { force: true });
    }
  }

  async function prepare(): Promise<void> {
    await mkdir(incoming, { recursive: true });
    swept ??= sweepIncoming().catch(() => undefined);
    await swept;
  }

  return {
    put: (name, bytes) =>
      guarded(async () => {
        const target = pathOf(name);
        await prepare();
        const temporary = path.join(incoming, randomUUID());
        try {
          await writeDurably(temporary, bytes);
          await publish(temporary, target);
        } finally {
          await rm(temporary, { force: true });
        }
        await syncFolder(root);
      }),

    async serve(name, req, res, headers) {
      if (!kindOfStoredName(name)) throw notFound();
      await sendFile(root, name, { req, res, headers });
    },

    delete: (name) => guarded(() => rm(pathOf(name), { force: true })),

    async *list() {
      for (const name of await guarded(() => readdir(root))) {
        const found = kindOfStoredName(name) && (await guarded(() => stat(path.join(root, name))));
        if (found) yield { name, modifiedAt: found.mtime };
      }
    },
  };
}

/** A full disk, a read-only one, missing rights: all of it is the operator's to mend, and the client may come again. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw codeOf(error) ? storageUnavailable({ cause: error }) : error;
  }
}

async function writeDurably(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives the whole file its name in one step. A link, unlike a rename, never replaces what is there. */
async function publish(temporary: string, target: string): Promise<void> {
  try {
    await link(temporary, target);
  } catch (error) {
    // Some network file systems know no hard links. The names are random: a rename meets nothing either.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
    await rename(temporary, target);
  }
}

/** Without it a power cut may forget the new name, though the bytes are on disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Not every file system can sync a folder.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await handle.close();
  }
}

interface Exchange {
  req: Request;
  res: Response;
  headers: Record<string, string>;
}

/** Set by `send` before it looks at ranges and conditions; an error answer must not carry them. */
const FILE_HEADERS = ['Accept-Ranges', 'Cache-Control', 'Content-Range', 'ETag', 'Last-Modified'];

function sendFile(root: string, name: string, { req, res, headers }: Exchange): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = send(req, `/${name}`, { root, index: false, dotfiles: 'ignore', cacheControl: false });
    stream.on('headers', () => {
      res.set(headers);
    });
    stream.on('directory', () => reject(notFound()));
    stream.on('error', (error: SendError) => {
      if (!res.headersSent) for (const header of [...FILE_HEADERS, ...Object.keys(headers)]) res.removeHeader(header);
      reject(sendError(error));
    });
    res.once('close', resolve);
    stream.pipe(res);
  });
}

interface SendError extends Error {
  status: number;
  headers?: Record<string, string>;
}

function sendError(error: SendError): AppError {
  if (error.status === 404 || error.status === 403) return notFound();
  if (error.status === 412) return preconditionFailed();
  if (error.status === 416) return rangeNotSatisfiable({ headers: error.headers ?? {} });
  return storageUnavailable({ cause: error });
}
