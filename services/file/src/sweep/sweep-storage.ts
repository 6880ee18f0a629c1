import type { Storage } from '@shop/core';
import type { ReferenceRepository } from './reference.repository';

interface Parts {
  storage: Pick<Storage, 'list' | 'delete'>;
  references: ReferenceRepository;
}

const BATCH = 512;
/** A file is stored before its row is written: what is young may still get one. */
const MIN_AGE_MS = 86_400_000;

/** Finds, and on demand deletes, stored files that nothing points to. */
export const sweepStorage =
  ({ storage, references }: Parts) =>
  async ({ remove }: { remove: boolean }): Promise<{ seen: number; orphans: string[] }> => {
    const old: string[] = [];
    let seen = 0;
    for await (const { name, modifiedAt } of storage.list()) {
      seen += 1;
      if (modifiedAt.getTime() < Date.now() - MIN_AGE_MS) old.push(name);
    }
    const orphans: string[] = [];
    for (let start = 0; start < old.length; start += BATCH) {
      const batch = old.slice(start, start + BATCH);
      const referenced = new Set(await references.listReferenced(batch));
      orphans.push(...batch.filter((name) => !referenced.has(name)));
    }
    if (remove) for (const name of orphans) await storage.delete(name);
    return { seen, orphans };
  };
