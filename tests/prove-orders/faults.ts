import { setTimeout as sleep } from 'node:timers/promises';
import { random, type Server } from '@shop/test-servers';

/** One planned kill -9: when (ms from the start), which server, and how long it stays down. */
export interface Fault {
  at: number;
  target: string;
  awayMs: number;
}

/** A server that is listed several times is killed more often. */
const TARGETS = [
  'transaction',
  'transaction',
  'transaction-2',
  'transaction-2',
  'product',
  'address',
  'database',
  'database',
  'redis',
];

/** The same seed and length give the same faults. @returns sorted by time, the last one well before the end */
export function planFaults(seed: number, lengthMs: number): Fault[] {
  const draw = random(seed, -1);
  const faults: Fault[] = [];
  for (let at = draw.integer(500, 1500); at < lengthMs * 0.85; at += draw.integer(1500, 5000)) {
    faults.push({ at, target: draw.pick(TARGETS), awayMs: draw.integer(0, 1500) });
  }
  return faults;
}

/** Kills and restarts the servers as planned, one after the other. @returns the faults, once all servers are back */
export async function injectFaults(
  faults: Fault[],
  servers: ReadonlyMap<string, Server>,
  { started, signal, say }: { started: number; signal: AbortSignal; say: (line: string) => void },
): Promise<number> {
  let done = 0;
  for (const { at, target, awayMs } of faults) {
    await sleep(Math.max(0, started + at - Date.now()), undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const server = servers.get(target);
    if (!server) throw new Error(`unknown server to kill: ${target}`);
    say(`${((Date.now() - started) / 1000).toFixed(1)} s: kill -9 ${target}, back after ${awayMs} ms`);
    await server.kill();
    await sleep(awayMs, undefined, { signal }).catch(() => undefined);
    await server.start();
    done += 1;
  }
  return done;
}
