import path from 'node:path';
import {
  type Env,
  findProgram,
  installPrograms,
  messageOf,
  type Program,
  portIsFree,
  type Server,
  takenBy,
  until,
} from '@shop/test-servers';
import { logDir } from './dev-paths';
import { type ComposeService, composeRunning, composeStop, composeUp, dockerAnswers } from './docker';
import type { Session } from './session';

/** A running database or Redis. */
export interface Found {
  host: string;
  port: number;
  origin: 'given' | 'docker' | 'ours';
  pid?: number | undefined;
  log?: string | undefined;
}

/** A database or Redis that must be started on this machine. */
export interface Need {
  kind: 'database' | 'redis';
  title: string;
  container: ComposeService;
  program: Program;
  port: number;
  /** The shop can run without it. */
  optional: boolean;
  /** Variables for the compose file. */
  env: Env;
  answers(): Promise<boolean>;
  create(): Promise<Server>;
}

const dockerLog = path.join(logDir, 'docker.log');

/**
 * Starts the needed servers: in Docker if available, otherwise from programs on this machine, which are installed where
 * possible. `also` lists more programs to install.
 */
export async function bringUp(needs: Need[], also: Program[], session: Session): Promise<Map<Need, Found>> {
  const found = new Map<Need, Found>();
  if (needs.length > 0 && (await dockerAnswers())) await tryDocker(needs, found, session);
  const left = needs.filter((need) => !found.has(need));

  const missing = [...left.map((need) => need.program), ...also].filter((program) => !findProgram(program));
  if (missing.length > 0) {
    const problem = await installPrograms(missing, session.log);
    if (problem !== undefined) session.log(problem);
  }
  for (const need of left) {
    const here = findProgram(need.program) ? await startHere(need, session) : undefined;
    if (here) found.set(need, here);
  }
  return found;
}

async function tryDocker(needs: Need[], found: Map<Need, Found>, session: Session): Promise<void> {
  const containers = needs.map((need) => need.container);
  const env: Env = { ...session.settings.env };
  for (const need of needs) Object.assign(env, need.env);
  session.log(`starting ${containers.join(' and ')} in Docker; the first time this downloads their images`);

  const before = await composeRunning(env, dockerLog);
  const started = needs.filter((need) => !before.includes(need.container));
  for (const { kind, container, port } of started) {
    session.record({ name: container, kind, host: '127.0.0.1', port, origin: 'docker', log: dockerLog });
  }
  const stopStarted = () =>
    composeStop(
      started.map((need) => need.container),
      env,
      dockerLog,
    );
  session.onStop(stopStarted);

  const problem = (await composeUp(containers, env, dockerLog)) ?? (await firstSilent(needs));
  if (problem !== undefined) {
    session.log(`Docker cannot start them (${problem}); trying the next option`);
    await stopStarted();
    return;
  }
  for (const need of needs) {
    const origin = started.includes(need) ? 'docker' : 'given';
    found.set(need, { host: '127.0.0.1', port: need.port, origin, log: dockerLog });
    session.log(`${need.title}: a Docker container at 127.0.0.1:${need.port}`);
  }
}

/** Checks each server: Docker may run on another machine, or an old volume may have another password. */
async function firstSilent(needs: Need[]): Promise<string | undefined> {
  for (const need of needs) {
    try {
      await until(() => need.answers(), { timeoutMs: 15_000, everyMs: 200, what: `${need.title} in Docker` });
    } catch (error) {
      return messageOf(error);
    }
  }
  return undefined;
}

async function startHere(need: Need, session: Session): Promise<Found | undefined> {
  const server = await need.create();
  session.onStop(() => server.stop());
  try {
    await server.start();
  } catch (error) {
    if (!need.optional) throw error;
    session.log(`warning: ${messageOf(error)}`);
    return undefined;
  }
  session.log(`${need.title}: started our own ${server.name} at 127.0.0.1:${server.port}`);
  return { host: server.host, port: server.port, origin: 'ours', pid: server.pid, log: server.logFile };
}

/** Returns `wanted`, or the next free port, which it logs. */
export async function portNear(wanted: number, title: string, session: Session): Promise<number> {
  for (let port = wanted; port < Math.min(wanted + 100, 65_536); port++) {
    if (session.reservedPorts.has(port) || !(await portIsFree(port))) continue;
    if (port !== wanted) session.log(`${title}: port ${wanted} is taken${await takenBy(wanted)}; using ${port}`);
    session.reservedPorts.add(port);
    return port;
  }
  return wanted;
}

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
