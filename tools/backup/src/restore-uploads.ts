import { AppError } from '@shop/core/errors';
import type { Storage } from '@shop/core/storage';
import { ENCRYPTED } from './encryption';
import { reasonOf } from './errors';
import { openChecked, type Source } from './load';
import { readUploads, type Upload, uploadFileName } from './manifest';

const CONCURRENT_FILES = 8;

/** Opens an upload of the backup. @throws when it is read to its end and is not the one of the backup */
const openUpload = ({ target, decrypt }: Source, { name, encrypted, ...digest }: Upload) =>
  openChecked(target, uploadFileName(name, encrypted ? ENCRYPTED : ''), digest, encrypted ? decrypt : undefined);

/**
 * Stores the uploads that the storage lacks. Never overwrites one.
 * @returns how many it has stored, and why some could not be read
 * @throws AppError `storage_unavailable`
 */
export async function restoreUploads(
  source: Source,
  storage: Storage,
): Promise<{ stored: number; kept: number; problems: string[] }> {
  const uploads = await readUploads(source.target, source.manifest.id);
  const existing = new Set<string>();
  for await (const { name } of storage.list()) existing.add(name);
  const missing = uploads.filter(({ name }) => !existing.has(name));
  const problems = await forEachUpload(missing, async (upload) => {
    const content = await openUpload(source, upload);
    const file = await storage.receive(content);
    await storage.put(upload.name, file);
  });
  return { stored: missing.length - problems.length, kept: uploads.length - missing.length, problems };
}

/** Reads some of the uploads. @returns how many, and what is wrong with them */
export async function checkSomeUploads(
  source: Source,
  sample: number,
): Promise<{ checked: number; problems: string[] }> {
  const uploads = await readUploads(source.target, source.manifest.id);
  const some = uploads
    .map((upload) => ({ upload, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, sample)
    .map(({ upload }) => upload);
  const problems = await forEachUpload(some, async (upload) => {
    for await (const _ of await openUpload(source, upload));
  });
  return { checked: some.length, problems };
}

async function forEachUpload(uploads: Upload[], work: (upload: Upload) => Promise<void>): Promise<string[]> {
  const problems: string[] = [];
  const queue = uploads.values();
  async function worker() {
    for (const upload of queue) {
      try {
        await work(upload);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'unavailable') throw error;
        problems.push(`${upload.name}: ${reasonOf(error)}`);
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT_FILES }, worker));
  return problems;
}
