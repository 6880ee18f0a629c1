import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { notFound } from '../errors';
import type { KindOfName } from './file-kinds';
import { incomingFolder, orUnavailable } from './incoming';
import type { StorageBackend } from './storage';

/** Inside the storage folder, so that a complete file can be hard-linked to its name instead of copied. */
const INCOMING = '.incoming';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Files in a local folder, created on first use. */
export function localStorage(folder: string, kindOf: KindOfName): StorageBackend {
  const root = path.resolve(folder);
  const syncRoot = sharedSync(root);

  const pathOf = (name: string): string => {
    if (!kindOf(name)) throw new Error(`not a stored name: ${name}`);
    return path.join(root, name);
  };

  return {
    ...incomingFolder(path.join(root, INCOMING)),

    async put(name, file) {
      try {
        const target = pathOf(name);
        const source = await file.save();
        await orUnavailable(() => publish(source, target, syncRoot));
      } finally {
        await file.discard();
      }
    },

    async open(name) {
      if (!kindOf(name)) throw notFound();
      return { path: pathOf(name) };
    },

    delete: (name) => orUnavailable(() => rm(pathOf(name), { force: true })),

    async *list() {
      for (const name of await orUnavailable(() => namesIn(root))) {
        const found = kindOf(name) && (await orUnavailable(() => stat(path.join(root, name))));
        if (found) yield { name, modifiedAt: found.mtime };
      }
    },
  };
}

/** None before the first upload, which creates the folder. */
const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    return [];
  });

/** Stores a complete file under its name. After a failure, nothing exists under that name. */
async function publish(source: string, target: string, syncFolderOfTarget: () => Promise<void>): Promise<void> {
  await linkOrRename(source, target);
  try {
    await syncFolderOfTarget();
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}

/** Atomic. Unlike a rename, a hard link never replaces an existing file. */
async function linkOrRename(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    // Some network file systems have no hard links. Names are random, so a rename replaces nothing either.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')) throw error;
    await rename(source, target);
  }
}

/** Syncs the folder. Calls during a sync share the next one, because the running one may have missed their names. */
function sharedSync(folder: string): () => Promise<void> {
  let latest: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  async function syncAfter(previous: Promise<void>): Promise<void> {
    await previous.catch(() => undefined);
    waiting = undefined;
    await syncFolder(folder);
  }

  return function sync() {
    if (!waiting) {
      waiting = syncAfter(latest);
      latest = waiting;
    }
    return waiting;
  };
}

/** Without this, a power failure may lose the new name even though the bytes are on disk. */
export async function syncFolder(folder: string): Promise<void> {
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
