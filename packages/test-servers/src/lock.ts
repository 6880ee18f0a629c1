import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { codeOf } from './errors';

/**
 * Takes the lock `file` until this process ends. It is a Unix socket that the process listens on: the kernel closes it, also
 * after kill -9, so a lock is never stale (docs/decisions/0022-a-socket-as-lock.md). @returns false if another process has it
 */
export async function takeLock(file: string): Promise<boolean> {
  while (!(await listenOn(socketPath(file)))) {
    if (await isLocked(file)) return false;
    rmSync(socketPath(file), { force: true });
  }
  return true;
}

/** Whether a process has the lock. */
export function isLocked(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath(file), () => resolve(true));
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '')));
    socket.once('connect', () => socket.destroy());
  });
}

function listenOn(address: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy()).unref();
    server.once('listening', () => resolve(true));
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    server.listen({ path: address, readableAll: true, writableAll: true }); // other users may look, too
  });
}

/** A socket's path must be shorter than 108 bytes, so a long one is replaced by a short one. */
export function socketPath(file: string): string {
  if (Buffer.byteLength(file) < 100) return file;
  const key = createHash('sha256').update(file).digest('hex').slice(0, 12);
  return path.join(os.tmpdir(), `shop-${key}.sock`);
}
