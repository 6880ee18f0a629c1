import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { dataDir, isLocked, lockHolder, messageOf, OperatorError } from '@shop/test-servers';

export const runDir = path.join(dataDir, 'run');
export const logDir = path.join(runDir, 'logs');
/** The process that runs the shop has this lock until it ends. */
export const lockFile = path.join(runDir, 'lock');
export const stateFile = path.join(runDir, 'fleet.json');
const draft = `${stateFile}.draft`;

/** In the order of the table. */
const kinds = ['database', 'redis', 'service', 'nginx', 'monitoring'] as const;

/** One server that we started or found running. */
export interface Entry {
  name: string;
  kind: (typeof kinds)[number];
  host: string;
  port: number;
  /** `given`: it was already running, and we do not stop it. `docker`: a container of docker-compose.yml that we started. */
  origin: 'ours' | 'given' | 'docker';
  /** Undefined while our server is not running. */
  pid?: number | undefined;
  log?: string | undefined;
}

/** The content of .data/run/fleet.json. After kill -9, its containers are all that is left running. */
export interface State {
  pid: number;
  startedAt: string;
  /** Set once everything is ready. */
  gatewayPort?: number;
  /** The shop's database, without its password, for commands that use it. */
  database?: Env;
  entries: Entry[];
}

export const inOrder = (entries: Entry[]): Entry[] =>
  entries.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.port - b.port);

export function readState(file = stateFile): State | undefined {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8'));
    return Number.isInteger(state?.pid) && state.entries.every(isEntry) ? state : undefined;
  } catch {
    return undefined;
  }
}

const isEntry = (entry: Partial<Entry> | null): boolean =>
  typeof entry?.name === 'string' && Number.isInteger(entry.port) && kinds.some((kind) => kind === entry.kind);

/** Only if it is this run's: a later one may have started. */
export function removeState(pid: number): void {
  if (readState()?.pid !== pid) return;
  for (const file of [stateFile, draft]) rmSync(file, { force: true });
}

/** Replaces the file atomically: a reader sees the old or the new content. @throws OperatorError */
export function writeState(state: State): void {
  try {
    writeFileSync(draft, JSON.stringify(state, null, 2));
    renameSync(draft, stateFile);
  } catch (error) {
    throw new OperatorError(`${stateFile} cannot be written: ${messageOf(error)}`);
  }
}

/** The services in docker-compose.yml. */
export const containerOf = { database: 'db', redis: 'redis' };

export const containerEntries = (state: State | undefined): Entry[] =>
  state?.entries.filter(({ origin }) => origin === 'docker') ?? [];

export const containersIn = (state: State | undefined): string[] =>
  containerEntries(state).map(({ kind }) => containerOf[kind === 'redis' ? kind : 'database']);

export const isRunning = (): Promise<boolean> => isLocked(lockFile);

/** The process that runs the shop. It says so itself; for a frozen one the state does. 0: neither does. */
export async function runningPid(): Promise<number | undefined> {
  const pid = await lockHolder(lockFile);
  return pid === 0 ? (readState()?.pid ?? 0) : pid;
}

/** The running shop's state. */
export const runningState = async (): Promise<State | undefined> => ((await isRunning()) ? readState() : undefined);

/** The URL of the running shop's gateway. */
export async function gatewayUrl(): Promise<string | undefined> {
  const { gatewayPort } = (await runningState()) ?? {};
  return gatewayPort === undefined ? undefined : urlOf(gatewayPort);
}

export const urlOf = (port: number): string => `http://localhost${port === 80 ? '' : `:${port}`}`;
