import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { dataDir, lockHolder, type Server } from '@shop/test-servers';

export const runDir = path.join(dataDir, 'run');
export const logDir = path.join(runDir, 'logs');
/** The process that runs the shop has this lock until it ends, and tells its state to who asks. */
export const lockFile = path.join(runDir, 'lock');
export const pidFile = path.join(runDir, 'pid');

/** A server that we started or found running. */
export interface Entry extends Pick<Server, 'name' | 'host' | 'port'>, Partial<Pick<Server, 'healthUrl' | 'pid'>> {
  /** `started by us`, or whose it is. */
  origin: string;
  /** Absent: it was already running, and we do not stop it. */
  log?: string;
}

/** What `up` runs. */
export interface State {
  pid: number;
  startedAt?: string;
  /** Set once everything is ready. */
  gatewayPort?: number;
  /** The shop's database, without its password, for commands that use it. */
  database?: Env;
  entries: Entry[];
}

/** The running shop's state. A frozen process says nothing, and one of an older version only its pid. */
export async function runningState(lock = lockFile): Promise<State | undefined> {
  const text = await lockHolder(lock);
  if (text === undefined) return undefined;
  return text.startsWith('{') ? JSON.parse(text) : { pid: Number(text || readFileSync(pidFile, 'utf8')), entries: [] };
}

/** The URL of the running shop's gateway. */
export async function gatewayUrl(): Promise<string | undefined> {
  const port = (await runningState())?.gatewayPort;
  return port === undefined ? undefined : `http://localhost${port === 80 ? '' : `:${port}`}`;
}
