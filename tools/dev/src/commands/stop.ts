import { messageOf, sendSignal, stillRuns, until } from '@shop/test-servers';
import { readState, removeState } from '../state';
import { stopLeftovers } from './leftovers';

/** Asks the running `up` to stop, waits, and then stops everything it has left behind (if it was killed). */
export async function stop(): Promise<number> {
  const state = readState();
  if (!state) {
    console.log('not running');
    return 0;
  }
  if (stillRuns(state)) {
    console.log(`stopping the fleet (pid ${state.pid})`);
    sendSignal(state.pid, 'SIGTERM');
    const gone = () => !stillRuns(state);
    await until(gone, { timeoutMs: 90_000, what: 'it' }).catch(async (error: unknown) => {
      console.log(`${messageOf(error)}: killing it`);
      sendSignal(state.pid, 'SIGKILL');
      await until(gone, { timeoutMs: 5000, what: `pid ${state.pid} to be gone` });
    });
  }
  const left = readState(); // absent if it has cleaned up itself
  if (left && !stillRuns(left)) {
    await stopLeftovers(left, console.log);
    removeState();
  }
  console.log('stopped');
  return 0;
}
