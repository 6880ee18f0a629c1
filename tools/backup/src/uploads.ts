import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { AppError } from '@shop/core/errors';
import type { Storage } from '@shop/core/storage';
import { ENCRYPTED, type Transform } from './encryption';
import { BackupError } from './errors';
import { type Manifest, readUploads, type Upload, uploadFileName, uploadsPrefix } from './manifest';
import type { Target } from './target';

/** Hides the time of a round trip to a bucket. */
const CONCURRENT_COPIES = 8;

interface CopyDeps {
  storage: Storage;
  target: Target;
  encrypt: Transform | undefined;
  /** The finished backups in the target, oldest first. */
  finished: readonly Manifest[];
}

interface CopiedUploads {
  uploads: Upload[];
  copied: number;
  /** Names that a row refers to, but that neither the storage nor the target has. */
  missing: string[];
}

/**
 * Copies the files of the storage that the target lacks. A file that the storage no longer has, because it was deleted since the
 * snapshot, belongs to the backup if an earlier one has copied it.
 *
 * @param referenced the names in the snapshot
 */
export async function copyUploads(referenced: ReadonlySet<string>, deps: CopyDeps): Promise<CopiedUploads> {
  const { storage, target } = deps;
  const stored = new Set<string>();
  for await (const { name } of target.list(uploadsPrefix)) stored.add(name);
  const known = knownUploads(target, deps.finished);
  const names = new Set<string>();
  for await (const { name } of storage.list()) names.add(name);
  if (names.size === 0 && referenced.size > 0) {
    throw new BackupError(
      `the database lists ${referenced.size} uploads, but the storage is empty: do UPLOAD_PATH and the S3_ settings name it?`,
    );
  }
  for (const name of referenced) names.add(name);

  const result: CopiedUploads = { uploads: [], copied: 0, missing: [] };
  const queue = names.values();
  async function work() {
    for (const name of queue) {
      // A file that no finished backup names may be of an interrupted one. It is copied again.
      const isStored = [ENCRYPTED, ''].some((suffix) => stored.has(uploadFileName(name, suffix)));
      const found = isStored ? await known(name) : undefined;
      const upload = found ?? (await copy(name, deps));
      if (upload) result.uploads.push(upload);
      if (upload && !found) result.copied += 1;
      if (!upload && referenced.has(name)) result.missing.push(name);
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_COPIES }, work));
  result.uploads.sort((a, b) => (a.name < b.name ? -1 : 1));
  return result;
}

async function copy(name: string, { storage, target, encrypt }: CopyDeps): Promise<Upload | undefined> {
  const content = await openStored(storage, name);
  if (!content) return undefined;
  const bytes = encrypt ? await encrypt(content) : content;
  const digest = await target.put(uploadFileName(name, encrypt ? ENCRYPTED : ''), bytes);
  return { name, encrypted: encrypt !== undefined, ...digest };
}

/** @returns undefined if there is no such file */
async function openStored(storage: Storage, name: string): Promise<Readable | undefined> {
  try {
    const file = await storage.open(name, { method: 'GET', headers: {} });
    return 'path' in file ? (await open(file.path)).createReadStream() : file.content;
  } catch (error) {
    const code = error instanceof AppError ? error.kind : (error as NodeJS.ErrnoException).code;
    if (code === 'not_found' || code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Finds an upload in the lists of finished backups. Usually the newest has it, so an older one is read only when it is needed. */
function knownUploads(target: Target, finished: readonly Manifest[]) {
  const lists = finished.toReversed().map(({ id }) => {
    let list: Promise<Map<string, Upload>> | undefined;
    return () => {
      list ??= readUploads(target, id).then((uploads) => new Map(uploads.map((upload) => [upload.name, upload])));
      return list;
    };
  });
  return async function find(name: string): Promise<Upload | undefined> {
    for (const list of lists) {
      const upload = (await list()).get(name);
      if (upload) return upload;
    }
    return undefined;
  };
}
