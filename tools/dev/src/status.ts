import { displayPath, httpStatus, portAnswers, table } from '@shop/test-servers';
import { type Entry, gatewayUrl, isRunning, readState, runningPid, stateFile } from './state';

const NOT_RUNNING = 3;

/** Prints a table of the servers and their current health. Exit code: 0 healthy, 1 not healthy, 3 not running. */
export async function status(): Promise<number> {
  const runs = await isRunning();
  const state = readState();
  if (runs && !state) {
    console.log(`running (pid ${(await runningPid()) || 'unknown'}), but ${stateFile} is missing or damaged`);
    return 1;
  }
  const entries = state?.entries.filter(({ origin }) => runs || origin === 'docker') ?? [];
  if (!state || !(runs || entries.length > 0)) {
    console.log('not running: start it with ./run-services.sh');
    return NOT_RUNNING;
  }
  const isReady = state.gatewayPort !== undefined;
  if (!runs) console.log(`pid ${state.pid}, which started this, is gone: ./run-services.sh stop cleans up`);
  else console.log(isReady ? `running since ${state.startedAt} (pid ${state.pid})` : `starting (pid ${state.pid})`);
  const health = await Promise.all(entries.map((entry) => healthOf(entry, isReady)));
  console.log(entryTable(entries, health));
  return runs && isReady && health.every((one) => one === 'healthy' || one === 'listening') ? 0 : 1;
}

async function healthOf({ kind, host, port, origin, pid }: Entry, isReady: boolean): Promise<string> {
  if (isReady && origin === 'ours' && pid === undefined) return 'dead';
  if (kind !== 'service' && kind !== 'nginx') return (await portAnswers(port, host)) ? 'listening' : 'no response';
  const code = await httpStatus(`http://127.0.0.1:${port}/${kind === 'nginx' ? 'health' : 'ready'}`);
  if (code === 200) return 'healthy';
  return code === undefined ? 'no response' : `status ${code}`;
}

const origins = { ours: 'started by us', docker: 'Docker, started by us', given: 'already running' };

/** Name, port, pid, origin and log file of each server, with its health if given. */
export function entryTable(entries: Entry[], health?: string[]): string {
  const heading = ['NAME', 'PORT', 'PID', ...(health ? ['HEALTH'] : []), 'ORIGIN', 'LOG'];
  const rows = entries.map(({ name, host, port, pid, origin, log }, index) => [
    name,
    host === '127.0.0.1' ? String(port) : `${host}:${port}`,
    String(pid ?? '-'),
    ...(health?.slice(index, index + 1) ?? []),
    origins[origin],
    log === undefined ? '-' : displayPath(log),
  ]);
  return table([heading, ...rows]);
}

/** Prints the gateway's address, for `API=$(./run-services.sh url)`. */
export async function url(): Promise<number> {
  const address = await gatewayUrl();
  if (address !== undefined) console.log(address);
  else console.error('not running: start it with ./run-services.sh');
  return address === undefined ? NOT_RUNNING : 0;
}
