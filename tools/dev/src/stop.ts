import { messageOf, OperatorError, sendSignal, until } from '@shop/test-servers';
import { stopLeftContainers } from './docker';
import { containersIn, readState, removeState, runningPid, stateFile } from './state';

/** Asks the running `up` to stop and waits. Stops the containers that it has left running if it was killed. */
export async function stop(): Promise<number> {
  const pid = await runningPid();
  if (pid === undefined && containersIn(readState()).length === 0) {
    console.log('not running');
    return 0;
  }
  if (pid === 0) throw new OperatorError(`it runs, but does not respond, and ${stateFile} does not say its pid`);
  if (pid !== undefined) await stopProcess(pid);
  const left = readState();
  if (left && (pid === undefined || left.pid === pid)) {
    await stopLeftContainers(left);
    removeState(left.pid);
  }
  console.log('stopped');
  return 0;
}

async function stopProcess(pid: number): Promise<void> {
  console.log(`stopping the fleet (pid ${pid})`);
  sendSignal(pid, 'SIGTERM');
  // As long as it has the lock, the pid is its own.
  const isGone = async () => (await runningPid()) !== pid;
  await until(isGone, { timeoutMs: 90_000, what: 'it' }).catch(async (error: unknown) => {
    console.log(`${messageOf(error)}: killing it`);
    sendSignal(pid, 'SIGKILL');
    await until(isGone, { timeoutMs: 5000, what: `pid ${pid} to be gone` });
  });
}
