import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isLocked, lockAddress, lockHolder, takeLock } from './lock';
import { temporaryFolder } from './temporary-folder';

const PREFIX = `shop-owned-${process.pid}-`;
const newFolder = () => mkdtemp(path.join(os.tmpdir(), PREFIX));

const SCRIPT = `
  const address = process.argv[1].replace('@', '\\0');
  require('net').createServer((socket) => socket.end(String(process.pid))).listen(address, () => console.log('listening'))`;

/** Another process that has the lock. */
async function lockElsewhere(file: string, signal?: NodeJS.Signals) {
  const address = lockAddress(file).replace('\0', '@');
  const child = spawn(process.execPath, ['-e', SCRIPT, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  if (signal) child.kill(signal);
  const kill = () => {
    child.kill('SIGKILL');
    return once(child, 'exit');
  };
  return { pid: child.pid, kill };
}

test.each([
  ['a short path', 'lock'],
  ['a path longer than that of a socket', `${'long/'.repeat(30)}lock`],
])('a lock with %s belongs to one process until that is killed', async (_, name) => {
  const folder = await newFolder();
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  expect(await isLocked(file)).toBe(false);
  const { pid, kill } = await lockElsewhere(file);
  expect([await lockHolder(file), await takeLock(file)]).toEqual([String(pid), false]);
  await kill();
  expect(await isLocked(file)).toBe(false);
  const takers = await Promise.all(Array.from({ length: 20 }, () => takeLock(file, () => 'mine')));
  expect(takers.filter(Boolean)).toHaveLength(1);
  expect(await lockHolder(file)).toBe('mine');
  await rm(folder, { recursive: true });
});

test('a frozen process keeps its lock', async () => {
  const folder = await newFolder();
  const file = path.join(folder, 'lock');
  const { kill } = await lockElsewhere(file, 'SIGSTOP');
  expect([await lockHolder(file), await takeLock(file)]).toEqual(['', false]);
  await kill();
  await rm(folder, { recursive: true });
});

test('temporary folders of processes that are gone are removed, others stay', async () => {
  const abandoned = await newFolder();
  const { kill } = await lockElsewhere(path.join(abandoned, 'lock'));
  writeFileSync(path.join(abandoned, 'locked'), '');
  const notOurs = await newFolder();

  const first = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first].map(existsSync)).toEqual([true, true, true]);

  await kill();
  const second = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first, second].map(existsSync)).toEqual([false, true, true, true]);
  for (const folder of [notOurs, first, second]) await rm(folder, { recursive: true });
});
