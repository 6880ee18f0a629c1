import type { FileContext } from '../service';
import { listReferenced } from './references.sql';

const BATCH = 512;
/** A file is stored before its row is written, so a younger file may still get a row. */
const MIN_AGE_MS = 86_400_000;

interface SweepResult {
  seen: number;
  /** Stored names. */
  orphans: string[];
}

/** Finds the stored files that no row refers to, and deletes them if asked to. */
export async function sweepStorage(
  { db, storage }: Pick<FileContext, 'db' | 'storage'>,
  { remove }: { remove: boolean },
): Promise<SweepResult> {
  const old: string[] = [];
  let seen = 0;
  for await (const { name, modifiedAt } of storage.list()) {
    seen += 1;
    if (modifiedAt.getTime() < Date.now() - MIN_AGE_MS) old.push(name);
  }
  const orphans: string[] = [];
  for (let start = 0; start < old.length; start += BATCH) {
    const batch = old.slice(start, start + BATCH);
    const referenced = new Set(await listReferenced(db, batch));
    orphans.push(...batch.filter((name) => !referenced.has(name)));
  }
  if (remove) for (const name of orphans) await storage.delete(name);
  return { seen, orphans };
}
