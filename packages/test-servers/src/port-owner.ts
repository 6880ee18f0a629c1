import { readdir, readFile, readlink } from 'node:fs/promises';

export interface PortOwner {
  pid: number;
  command: string;
}

const LISTENING = '0A';

/** The process that listens on `port`, from /proc. Undefined on systems other than Linux and for other users' processes. */
export async function portOwner(port: number): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(textOf));
  const sockets = new Set(tables.flatMap((table) => listeningSockets(table, port)));
  if (sockets.size === 0) return undefined;
  for (const name of await readdir('/proc').catch(() => [])) {
    if (/^\d+$/.test(name) && (await holdsOneOf(name, sockets))) {
      return { pid: Number(name), command: await commandOf(name) };
    }
  }
  return undefined;
}

function listeningSockets(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) && fields[3] === LISTENING)
    .map((fields) => `socket:[${fields[9] ?? ''}]`);
}

async function holdsOneOf(pid: string, sockets: Set<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  return targets.some((target) => sockets.has(target));
}

async function commandOf(pid: string): Promise<string> {
  const command = (await textOf(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ').trim();
  const text = command === '' ? (await textOf(`/proc/${pid}/comm`)).trim() : command;
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

const textOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
