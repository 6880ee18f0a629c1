import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf, type Env, messageOf, OperatorError, stillRuns } from '@shop/test-servers';
import { stateFile } from './dev-paths';

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
    throw new OperatorError(
      `${folder} cannot be created (does it belong to another user, or is it read-only?): ${messageOf(error)}`,
    );
  }
}

export const removeState = (file = stateFile): void => rmSync(file, { force: true });

/** The URL of the running fleet's gateway. */
export function gatewayUrl(state = readState()): string | undefined {
  if (!state || !stillRuns(state) || state.gatewayPort === undefined) return undefined;
  return `http://localhost${state.gatewayPort === 80 ? '' : `:${state.gatewayPort}`}`;
}
