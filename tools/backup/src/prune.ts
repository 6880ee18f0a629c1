import { ENCRYPTED } from './encryption';
import { type Backups, manifestName, readUploads, uploadFileName, uploadsPrefix } from './manifest';
import type { Target } from './target';

/** How many backups to keep: the newest ones, and the newest one of each of the last days and weeks that have one. */
export interface Keep {
  last: number;
  daily: number;
  weekly: number;
}

const DAY_MS = 86_400_000;

/** As restic's --keep-last, --keep-daily and --keep-weekly. Days and weeks are those of UTC; weeks begin on Monday. */
export function backupsToKeep(ids: readonly string[], { last, daily, weekly }: Keep): Set<string> {
  const newestFirst = [...ids].sort().reverse();
  const days = (id: string) => Math.floor(timeOf(id) / DAY_MS);
  return new Set([
    ...newestFirst.slice(0, last),
    ...newestOfEach(newestFirst, days).slice(0, daily),
    // The first day of the epoch was a Thursday.
    ...newestOfEach(newestFirst, (id) => Math.floor((days(id) + 3) / 7)).slice(0, weekly),
  ]);
}

const newestOfEach = (newestFirst: readonly string[], periodOf: (id: string) => number): string[] =>
  newestFirst.filter((id, index) => index === 0 || periodOf(id) !== periodOf(newestFirst[index - 1] ?? ''));

/** The time in an id such as `2026-11-27T10-32-03Z`. */
const timeOf = (id: string): number => Date.parse(id.replace(/T(\d\d)-(\d\d)-(\d\d)Z$/, 'T$1:$2:$3Z'));

/**
 * Deletes old backups, unfinished ones, and the uploads that no kept backup names. Never deletes what is younger than a day
 * and may belong to a backup that is still running. Safe to repeat after an interruption.
 * @returns the ids of the deleted backups
 */
export async function prune(target: Target, backups: Backups, keep: Keep, now: number = Date.now()): Promise<string[]> {
  const ids = backups.finished.map(({ id }) => id);
  const kept = backupsToKeep(ids, keep);
  const deleted = [
    ...ids.filter((id) => !kept.has(id)),
    ...backups.unfinished.filter((id) => timeOf(id) < now - DAY_MS),
  ];
  for (const id of deleted) await deleteBackup(target, id);

  const unused = new Set<string>();
  for await (const { name, modifiedAt } of target.list(uploadsPrefix)) {
    if (modifiedAt.getTime() < now - DAY_MS) unused.add(name);
  }
  for (const id of [...kept].sort().reverse()) {
    if (unused.size === 0) break;
    for (const { name, encrypted } of await readUploads(target, id)) {
      unused.delete(uploadFileName(name, encrypted ? ENCRYPTED : ''));
    }
  }
  for (const name of unused) await target.delete(name);
  return deleted;
}

/** The manifest first, so that a backup of which a part is deleted cannot be restored. */
export async function deleteBackup(target: Target, id: string): Promise<void> {
  await target.delete(manifestName(id));
  // Listed first: a page of a list may depend on what the one before listed.
  const names: string[] = [];
  for await (const { name } of target.list(`${id}/`)) names.push(name);
  for (const name of names) await target.delete(name);
}
