import { mkdtempSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { processIdentity, stillRuns } from './process-identity';

const OWNER_FILE = 'owner.json';

/**
 * Creates a temporary folder for this process, and removes folders with the same prefix that killed processes have left.
 */
export async function temporaryFolder(prefix: string): Promise<string> {
  await removeAbandoned(prefix);
  const owner = { pid: process.pid, identity: processIdentity(process.pid) };
  // Synchronous, so that no signal handler runs in between.
  const folder = mkdtempSync(path.join(os.tmpdir(), prefix));
  writeFileSync(path.join(folder, OWNER_FILE), JSON.stringify(owner));
  return folder;
}

async function removeAbandoned(prefix: string): Promise<void> {
  const names = await readdir(os.tmpdir());
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const folder = path.join(os.tmpdir(), name);
    if (await isAbandoned(folder)) await rm(folder, { recursive: true, force: true });
  }
}

async function isAbandoned(folder: string): Promise<boolean> {
  try {
    const owner: { pid: number; identity: string } = JSON.parse(await readFile(path.join(folder, OWNER_FILE), 'utf8'));
    return !stillRuns(owner) && (await stat(folder)).uid === process.getuid?.();
  } catch {
    return false; // its process is about to write the file, or is removing the folder
  }
}
