import { displayPath, httpStatus, portAnswers, table } from '@shop/test-servers';
import { type Entry, gatewayUrl, runningState } from './state';

function reportNotRunning(): number {
  console.error('not running: start it with ./run-services.sh');
  return 3;
}

/** Prints a table of the servers and their current health. Exit code: 0 healthy, 1 not healthy, 3 not running. */
export async function status(): Promise<number> {
  const state = await runningState();
  if (!state) return reportNotRunning();
  const { pid, startedAt, gatewayPort, entries } = state;
  console.log(gatewayPort ? `running since ${startedAt} (pid ${pid})` : `starting, or frozen (pid ${pid})`);
  const health = await Promise.all(entries.map(healthOf));
  const rows = entries.map(({ name, host, port, pid, origin, log }, index) => [
    name,
    host === '127.0.0.1' ? String(port) : `${host}:${port}`,
    String(pid ?? '-'),
    health[index] ?? '',
    origin,
    log === undefined ? '-' : displayPath(log),
  ]);
  console.log(table([['NAME', 'PORT', 'PID', 'HEALTH', 'ORIGIN', 'LOG'], ...rows]));
  return gatewayPort && health.every((one) => one === 'healthy' || one === 'listening') ? 0 : 1;
}

async function healthOf({ host, port, log, pid, healthUrl }: Entry): Promise<string> {
  if (log !== undefined && pid === undefined) return 'not running';
  if (healthUrl === undefined) return (await portAnswers(port, host)) ? 'listening' : 'no response';
  const code = await httpStatus(healthUrl);
  if (code === 200) return 'healthy';
  return code === undefined ? 'no response' : `status ${code}`;
}

/** Prints the gateway's address, for `API=$(./run-services.sh url)`. */
export async function url(): Promise<number> {
  const address = await gatewayUrl();
  if (address === undefined) return reportNotRunning();
  console.log(address);
  return 0;
}
