import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isLocked, takeLock } from './lock';

const lockOf = (folder: string): string => path.join(folder, 'lock');
/** Says that the folder's process has its lock as long as it lives. */
const markOf = (folder: string): string => path.join(folder, 'locked');

/**
 * Creates a temporary folder for this process, and removes folders with the same prefix that killed processes have left.
 */
export async function temporaryFolder(prefix: string): Promise<string> {
  const names = await readdir(os.tmpdir());
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const folder = path.join(os.tmpdir(), name);
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true });
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), prefix));
  await takeLock(lockOf(folder));
  writeFileSync(markOf(folder), '');
  return folder;
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    const isOurs = (await stat(folder)).uid === process.getuid?.();
    // Without the mark, its process is about to make it, or is removing the folder.
    return isOurs && existsSync(markOf(folder)) && !(await isLocked(lockOf(folder)));
  } catch {
    return false;
  }
}
