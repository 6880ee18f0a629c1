import { type Env, readSettings, sendSignal, stillRuns, until } from '@shop/test-servers';
import { type ComposeService, composeStop } from '../docker';
import type { FleetState, StateEntry } from '../state';

/** The order of stopping: the database last. */
const order: StateEntry['kind'][][] = [['monitoring'], ['nginx'], ['service'], ['redis'], ['database']];

/** Stops and logs everything that a dead `up` has left running. @returns how many servers that were */
export async function stopLeftovers(state: FleetState, log: (line: string) => void): Promise<number> {
  let count = 0;
  for (const kinds of order) {
    const entries = state.entries.filter((entry) => kinds.includes(entry.kind));
    const processes = entries.filter((entry) => entry.origin === 'ours' && stillRuns(entry));
    const containers = entries.filter((entry) => entry.origin === 'docker');
    for (const { name, pid } of processes) log(`stopping ${name} (pid ${pid}), which was left running`);
    await Promise.all(processes.map(stopEntry));
    if (containers.length > 0) {
      const names: ComposeService[] = containers.map(({ kind }) => (kind === 'redis' ? 'redis' : 'db'));
      log(`stopping the containers ${names.join(', ')}`);
      await composeStop(names, envOrNothing(), containers[0]?.log ?? '/dev/null');
    }
    count += processes.length + containers.length;
  }
  return count;
}

async function stopEntry(entry: StateEntry): Promise<void> {
  const { pid } = entry;
  if (pid === undefined) return;
  sendSignal(pid, 'SIGTERM');
  sendSignal(-pid, 'SIGCONT');
  const gone = () => !stillRuns(entry);
  try {
    await until(gone, { timeoutMs: 15_000, what: entry.name });
  } catch {
    sendSignal(-pid, 'SIGKILL');
    await until(gone, { timeoutMs: 5000, what: `${entry.name} to be gone` });
  }
}

function envOrNothing(): Env {
  try {
    return readSettings().env;
  } catch {
    return {};
  }
}
