import { readFileSync } from 'node:fs';
import net from 'node:net';
import { codeOf, OperatorError } from './errors';
import { portOwner } from './port-owner';

export type PortState = 'free' | 'taken' | 'denied';

/** Whether a server could listen on `port` now. Without `host`, on all IPs of the machine. */
export function portState(port: number, host?: string): Promise<PortState> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'EADDRINUSE') resolve('taken');
      else if (code === 'EACCES') resolve('denied');
      else reject(error);
    });
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => server.close(() => resolve('free')));
  });
}

export const portIsFree = async (port: number, host?: string): Promise<boolean> =>
  (await portState(port, host)) === 'free';

/** Ports that servers of this process use or will use. */
const MAX_PORT = 65_535;
const handedOut = new Set<number>();

/**
 * Returns a free port, never the same twice in one process. It is below the kernel's range of source ports: within that range,
 * a client that retries while its server is down could get the server's own port as its source port.
 */
export async function freePort(): Promise<number> {
  const low = 15_000;
  const high = Math.min(ephemeralRangeStart(), 32_768);
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = low + Math.floor(Math.random() * (high - low));
    if (!handedOut.has(port) && (await portIsFree(port))) {
      handedOut.add(port);
      return port;
    }
  }
  throw new OperatorError(`found no free port between ${low} and ${high}`);
}

function ephemeralRangeStart(): number {
  try {
    const start = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
    return start > 16_000 ? start : 32_768;
  } catch {
    return 32_768;
  }
}

const unreachable = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL']);

/** Whether a connection failed because the host does not exist or nothing listens on its port. */
export const isUnreachable = (error: unknown): boolean => unreachable.has(codeOf(error) ?? '');

/** Whether something accepts connections there. */
export function portAnswers(port: number, host = '127.0.0.1', timeoutMs = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host, timeout: timeoutMs });
    const done = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => done(true));
    socket.once('timeout', () => done(false));
    socket.once('error', () => done(false));
  });
}

/** Returns `wanted`, or the next port that is free and not handed out, which it logs. */
export async function nextFreePort(wanted: number, what: string, log: (line: string) => void): Promise<number> {
  let port = wanted;
  while (handedOut.has(port) || !(await portIsFree(port))) {
    port += 1;
    if (port > MAX_PORT) throw new OperatorError(`${what}: no port from ${wanted} on is free`);
  }
  if (port !== wanted) log(`${what}: port ${wanted} is taken${await takenBy(wanted)}; using ${port}`);
  handedOut.add(port);
  return port;
}

/** Reserves `port`. @throws OperatorError if it is not available, with who uses it and the variable to change */
export async function requirePort(port: number, what: string, variable: string): Promise<void> {
  if (port > MAX_PORT) throw new OperatorError(`there is no port ${port} (${what}): choose a lower ${variable}`);
  const state = await portState(port);
  if (handedOut.has(port)) {
    throw new OperatorError(`port ${port} (${what}) is used twice: choose another one with ${variable}=…`);
  }
  if (state === 'free') {
    handedOut.add(port);
    return;
  }
  if (state === 'denied') {
    throw new OperatorError(`port ${port} (${what}) is reserved for root: choose another port with ${variable}=…`);
  }
  throw new OperatorError(
    `port ${port} (${what}) is taken${await takenBy(port)}: stop that process, or choose another port with ${variable}=…`,
  );
}

/** ` by pid 12 (nginx)`, or an empty text if unknown. */
export async function takenBy(port: number): Promise<string> {
  const owner = await portOwner(port);
  return owner ? ` by pid ${owner.pid} (${owner.command})` : '';
}
