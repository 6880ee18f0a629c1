import { messageOf, until } from '@shop/test-servers';
import { stopLeftContainers } from './docker';
import { containersIn, isRunning, readState, writeState } from './state';

/** Asks the running `up` to stop and waits. Stops the containers that it has left running if it was killed. */
export async function stop(): Promise<number> {
  const runs = await isRunning();
  const state = readState();
  if (!state || !(runs || containersIn(state).length > 0)) {
    console.log('not running');
    return 0;
  }
  if (runs) {
    console.log(`stopping the fleet (pid ${state.pid})`);
    process.kill(state.pid, 'SIGTERM');
    const gone = async () => !(await isRunning());
    await until(gone, { timeoutMs: 90_000, what: 'it' }).catch(async (error: unknown) => {
      console.log(`${messageOf(error)}: killing it`);
      process.kill(state.pid, 'SIGKILL');
      await until(gone, { timeoutMs: 5000, what: `pid ${state.pid} to be gone` });
    });
  }
  await stopLeftContainers(readState());
  writeState({ ...state, entries: [] });
  console.log('stopped');
  return 0;
}
