import { messageOf, sendSignal, until } from '@shop/test-servers';
import { runningState } from './state';

/** Asks the running `up` to stop, and waits. */
export async function stop(): Promise<number> {
  const pid = (await runningState())?.pid;
  if (pid === undefined) {
    console.log('not running');
    return 0;
  }
  console.log(`stopping the fleet (pid ${pid})`);
  sendSignal(pid, 'SIGTERM');
  // As long as it has the lock, the pid is its own.
  const isGone = async () => (await runningState())?.pid !== pid;
  await until(isGone, { timeoutMs: 90_000, what: 'it' }).catch(async (error: unknown) => {
    console.log(`${messageOf(error)}: killing it`);
    sendSignal(pid, 'SIGKILL');
    await until(isGone, { timeoutMs: 5000, what: `pid ${pid} to be gone` });
  });
  console.log('stopped');
  return 0;
}
