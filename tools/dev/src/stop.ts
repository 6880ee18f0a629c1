import { messageOf, sendSignal, until } from '@shop/test-servers';
import { stopLeftContainers } from './docker';
import { containersIn, isRunning, readState, removeState } from './state';

/** Asks the running `up` to stop and waits. Stops the containers that it has left running if it was killed. */
export async function stop(): Promise<number> {
  // A run writes its state right after it has taken the lock, and removes it right before it ends.
  const isSettled = async () => readState() !== undefined || !(await isRunning());
  await until(isSettled, { timeoutMs: 10_000, what: 'the running fleet to write its state' });
  const runs = await isRunning();
  const state = readState();
  if (!state || !(runs || containersIn(state).length > 0)) {
    console.log('not running');
    return 0;
  }
  if (runs) {
    console.log(`stopping the fleet (pid ${state.pid})`);
    sendSignal(state.pid, 'SIGTERM');
    const gone = async () => !(await isRunning());
    await until(gone, { timeoutMs: 90_000, what: 'it' }).catch(async (error: unknown) => {
      console.log(`${messageOf(error)}: killing it`);
      sendSignal(state.pid, 'SIGKILL');
      await until(gone, { timeoutMs: 5000, what: `pid ${state.pid} to be gone` });
    });
  }
  await stopLeftContainers(readState());
  removeState();
  console.log('stopped');
  return 0;
}
