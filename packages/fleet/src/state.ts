import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Env } from './env';
import { codeOf, FleetError, messageOf } from './errors';
import { stateFile } from './paths';

/** One server that we started or found running. */
export interface StateEntry {
  name: string;
  kind: 'service' | 'nginx' | 'redis' | 'database' | 'monitoring';
  host: string;
  port: number;
  /** `given`: it was already running, and we do not stop it. `docker`: a container of docker-compose.yml that we started. */
  origin: 'ours' | 'given' | 'docker';
  pid?: number | undefined;
  /** Distinguishes the process from a later one with the same pid. */
  identity?: string | undefined;
  log?: string | undefined;
}

/** The content of .data/run/fleet.json: the process that runs the fleet, and everything a later `stop` must clean up. */
export interface FleetState {
  pid: number;
  identity?: string | undefined;
  startedAt: string;
  /** Set once everything is ready. */
  gatewayPort?: number | undefined;
  /** The fleet's database, without its password, for commands that use it. */
  database?: Env | undefined;
  entries: StateEntry[];
}

export function readState(file = stateFile): FleetState | undefined {
  try {
    const state: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isFleetState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

const isFleetState = (value: unknown): value is FleetState =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  typeof value.pid === 'number' &&
  'entries' in value &&
  Array.isArray(value.entries);

/** Replaces the file atomically: a reader sees the old or the new content. */
export function writeState(state: FleetState, file = stateFile): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(draft, file);
}

/** Creates the file unless it exists. If two processes try concurrently, one gets false. */
export function claimState(state: FleetState, file = stateFile): boolean {
  makeFolder(path.dirname(file));
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`);
  try {
    linkSync(draft, file); // unlike rename, link fails if the file exists
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    // On a read-only file system Node's message says "no such file".
    throw new FleetError(
      `${folder} cannot be created (does it belong to another user, or is it read-only?): ${messageOf(error)}`,
    );
  }
}

export const removeState = (file = stateFile): void => rmSync(file, { force: true });

/**
 * Distinguishes the process that has this pid now from earlier and later ones: its start time and the boot id. Undefined if
 * there is no such process (a zombie counts as none).
 */
export function processIdentity(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTimeByPs(pid);
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may contain any character.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function startTimeByPs(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The URL of the running fleet's gateway. */
export function gatewayUrl(state = readState()): string | undefined {
  if (!state || !stillRuns(state) || state.gatewayPort === undefined) return undefined;
  return `http://localhost${state.gatewayPort === 80 ? '' : `:${state.gatewayPort}`}`;
}

/** Whether the recorded process is still running. */
export const stillRuns = ({ pid, identity }: { pid?: number | undefined; identity?: string | undefined }): boolean =>
  pid !== undefined && identity !== undefined && processIdentity(pid) === identity;
