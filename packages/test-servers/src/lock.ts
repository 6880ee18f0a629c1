import { createHash } from 'node:crypto';
import { realpathSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { codeOf } from './errors';

/** A holder that says nothing in this time is frozen. */
const ANSWER_TIMEOUT_MS = 3000;

/**
 * Takes the lock `file` until this process ends. It is a Unix socket that the process listens on: the kernel closes it, also
 * after kill -9 (docs/decisions/0022-a-socket-as-lock.md). @returns false if another process has it
 * @param file a path in an existing folder; it identifies the lock, and no such file is made
 * @param say what this process tells who asks with `lockHolder`
 */
export async function takeLock(file: string, say = () => String(process.pid)): Promise<boolean> {
  const address = lockAddress(file);
  while (!(await listenOn(address, say))) {
    if (await isLocked(file)) return false;
    if (!isAbstract(address)) rmSync(address, { force: true });
  }
  return true;
}

/** What the process says that has the lock: nothing if it is frozen, undefined if there is none. */
export function lockHolder(file: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    const socket = net.connect(lockAddress(file));
    const answer = () => {
      resolve(said);
      socket.destroy();
    };
    socket.setTimeout(ANSWER_TIMEOUT_MS, answer).setEncoding('utf8');
    socket.on('data', (text) => {
      said += text;
    });
    socket.once('end', answer);
    socket.once('error', (error) => resolve(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error) ?? '') ? undefined : ''));
  });
}

/** Whether a process has the lock. */
export const isLocked = async (file: string): Promise<boolean> => (await lockHolder(file)) !== undefined;

function listenOn(address: string, say: () => string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.on('error', () => undefined).end(say())).unref();
    server.once('listening', () => resolve(true));
    server.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    // Other users may look, too. Abstract sockets have no permissions.
    server.listen(isAbstract(address) ? { path: address } : { path: address, readableAll: true, writableAll: true });
  });
}

const isAbstract = (address: string): boolean => address.startsWith('\0');

/** On Linux an abstract socket (unix(7)), which leaves no file behind. Elsewhere a file with a short path. */
export function lockAddress(file: string): string {
  const name = `shop-${shortHash(path.join(folderOf(file), path.basename(file)))}`;
  return process.platform === 'linux' ? `\0${name}` : path.join(os.tmpdir(), `${name}.lock`);
}

function folderOf(file: string): string {
  const folder = path.dirname(file);
  try {
    return realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** The path of a socket must be shorter than 108 bytes, so a long one is replaced by a short one. */
export const socketPath = (file: string): string =>
  Buffer.byteLength(file) < 100 ? file : path.join(os.tmpdir(), `shop-${shortHash(file)}.sock`);
