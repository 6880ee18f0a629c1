import { displayPath, httpStatus, portAnswers, stillRuns, table } from '@shop/test-servers';
import { type FleetState, readState, type StateEntry } from '../state';

const notRunning = 3;

/** Prints a table of the servers and their current health. Exit code: 0 healthy, 1 not healthy, 3 not running. */
export async function status(): Promise<number> {
  const state = readState();
  // A container outlives this process. The table shows whether it is still running.
  const mayRun = (entry: StateEntry) => entry.origin === 'docker' || stillRuns(entry);
  if (!state || !(stillRuns(state) || state.entries.some(mayRun))) {
    console.log('not running: start it with ./run-services.sh');
    return notRunning;
  }
  if (!stillRuns(state)) console.log(`pid ${state.pid}, which started this, is gone: ./run-services.sh stop cleans up`);
  else if (state.gatewayPort === undefined) console.log(`starting (pid ${state.pid})`);
  else console.log(`running since ${state.startedAt} (pid ${state.pid})`);
  const checks = await Promise.all(state.entries.map(check));
  console.log(entryTable(state, checks));
  const well = stillRuns(state) && state.gatewayPort !== undefined && checks.every((one) => one.healthy);
  return well ? 0 : 1;
}

interface Check {
  healthy: boolean;
  text: string;
}

async function check(entry: StateEntry): Promise<Check> {
  if (entry.origin === 'ours' && !stillRuns(entry)) return { healthy: false, text: 'dead' };
  if (entry.kind === 'service' || entry.kind === 'nginx') {
    const code = await httpStatus(`http://127.0.0.1:${entry.port}/${entry.kind === 'nginx' ? 'health' : 'ready'}`);
    if (code === 200) return { healthy: true, text: 'healthy' };
    return { healthy: false, text: code === undefined ? 'no response' : `status ${code}` };
  }
  const answers = await portAnswers(entry.port, entry.host);
  return { healthy: answers, text: answers ? 'listening' : 'no response' };
}

const origins: Record<StateEntry['origin'], string> = {
  ours: 'started by us',
  docker: 'Docker, started by us',
  given: 'already running',
};

/** Name, port, pid, origin and log file of each server, with its health if checked. */
export function entryTable({ entries }: FleetState, checks?: Check[]): string {
  const heading = ['NAME', 'PORT', 'PID', ...(checks ? ['HEALTH'] : []), 'ORIGIN', 'LOG'];
  const rows = entries.map((entry, index) => [
    entry.name,
    entry.host === '127.0.0.1' ? String(entry.port) : `${entry.host}:${entry.port}`,
    entry.pid === undefined ? '-' : String(entry.pid),
    ...(checks ? [checks[index]?.text ?? ''] : []),
    origins[entry.origin],
    entry.log === undefined ? '-' : displayPath(entry.log),
  ]);
  return table([heading, ...rows]);
}
