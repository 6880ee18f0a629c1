import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { OperatorError } from './errors';
import { repoRoot } from './paths';

const run = promisify(execFile);

/** The programs the fleet needs, named as in scripts/ensure-binaries.sh, with their possible file names. */
const programs = {
  mysql: ['mariadbd', 'mysqld'],
  redis: ['redis-server'],
  nginx: ['nginx'],
  prometheus: ['prometheus'],
  alertmanager: ['prometheus-alertmanager', 'alertmanager'],
  'mysqld-exporter': ['prometheus-mysqld-exporter', 'mysqld_exporter'],
  'redis-exporter': ['prometheus-redis-exporter', 'redis_exporter'],
  'nginx-exporter': ['prometheus-nginx-exporter', 'nginx-prometheus-exporter'],
  'node-exporter': ['prometheus-node-exporter', 'node_exporter'],
  'blackbox-exporter': ['prometheus-blackbox-exporter', 'blackbox_exporter'],
  shellcheck: ['shellcheck'],
} as const;

export type Program = keyof typeof programs;

/** Servers are often in sbin, which is not on every user's PATH. */
const extraFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'];

/** Finds the first of `names` that is an executable file on the PATH or in the usual folders. */
export function findBinary(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute), ...extraFolders];
  for (const name of names) {
    const found = folders.map((folder) => path.join(folder, name)).find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

export const findProgram = (program: Program): string | undefined => findBinary(...programs[program]);

/** @throws OperatorError that says how to install the program */
export function requireProgram(program: Program): string {
  const found = findProgram(program);
  if (found === undefined) {
    throw new OperatorError(
      `${programs[program].join(' or ')} is not installed: run scripts/ensure-binaries.sh, or install it by hand`,
    );
  }
  return found;
}

/** Installs those that are missing, where possible (Debian or Ubuntu, as root or with passwordless sudo). Logs why not. */
export async function installPrograms(wanted: Program[], log: (line: string) => void): Promise<void> {
  const missing = wanted.filter((program) => !findProgram(program));
  if (missing.length === 0) return;
  log(`installing ${missing.join(', ')} (scripts/ensure-binaries.sh)`);
  try {
    await run('bash', [path.join(repoRoot, 'scripts/ensure-binaries.sh'), ...missing], { maxBuffer: 1 << 26 });
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    log(stderr.trim().split('\n').at(-1) ?? 'the installation failed');
  }
}
