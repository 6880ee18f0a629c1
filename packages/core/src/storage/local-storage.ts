import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import send from 'send';
import type { AppError } from '../errors/app-error';
import { notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors/common-errors';
import { incomingFolder, orUnavailable } from './incoming';
import type { StorageBackend } from './storage';
import { kindOfStoredName } from './stored-name';

/** Inside the folder, so that a whole file gets its name by a link and not by a copy. */
const INCOMING = '.incoming';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Files in a local folder, created on first use. */
export function localStorage(folder: string): StorageBackend {
  const root = path.resolve(folder);

  const pathOf = (name: string): string => {
    if (!kindOfStoredName(name)) throw new Error(`not a stored name: ${name}`);
    return path.join(root, name);
  };

  return {
    ...incomingFolder(path.join(root, INCOMING)),

    async put(name, file) {
      try {
        await orUnavailable(() => publish(file.path, pathOf(name)));
      } finally {
        await file.discard();
      }
    },

    async serve(name, req, res, headers) {
      if (!kindOfStoredName(name)) throw notFound();
      await sendFile(root, name, { req, res, headers });
    },

    delete: (name) => orUnavailable(() => rm(pathOf(name), { force: true })),

    async *list() {
      for (const name of await orUnavailable(() => readdir(root))) {
        const found = kindOfStoredName(name) && (await orUnavailable(() => stat(path.join(root, name))));
        if (found) yield { name, modifiedAt: found.mtime };
      }
    },
  };
}

/** Gives a whole file its name, or leaves nothing under that name. */
async function publish(source: string, target: string): Promise<void> {
  await linkOrRename(source, target);
  try {
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** One step. A link, unlike a rename, never replaces an existing file. */
async function linkOrRename(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    // Some network file systems have no hard links. Names are random, so a rename replaces nothing either.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
    await rename(source, target);
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
