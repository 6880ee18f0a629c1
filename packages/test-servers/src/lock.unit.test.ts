import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isLocked, socketPath, takeLock } from './lock';
import { temporaryFolder } from './temporary-folder';

const PREFIX = `shop-owned-${process.pid}-`;
const newFolder = () => mkdtemp(path.join(os.tmpdir(), PREFIX));

/** Another process that has the lock. @returns a function that kills it */
async function lockElsewhere(file: string, signal?: NodeJS.Signals): Promise<() => Promise<unknown>> {
  const script = 'require("net").createServer().listen(process.argv[1], () => console.log("listening"))';
  const child = spawn(process.execPath, ['-e', script, socketPath(file)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  if (signal) child.kill(signal);
  return () => {
    child.kill('SIGKILL');
    return once(child, 'exit');
  };
}

test.each([
  ['a short path', 'lock'],
  ['a path too long for a socket', `${'long/'.repeat(30)}lock`],
])('a lock with %s belongs to one process until that is killed', async (_, name) => {
  const folder = await newFolder();
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  expect(await isLocked(file)).toBe(false);
  const kill = await lockElsewhere(file);
  expect([await isLocked(file), await takeLock(file)]).toEqual([true, false]);
  await kill();
  expect(await isLocked(file)).toBe(false);
  expect([await takeLock(file), await isLocked(file), await takeLock(file)]).toEqual([true, true, false]);
  await rm(folder, { recursive: true });
});

test('a frozen process keeps its lock', async () => {
  const folder = await newFolder();
  const file = path.join(folder, 'lock');
  const kill = await lockElsewhere(file, 'SIGSTOP');
  expect([await isLocked(file), await takeLock(file)]).toEqual([true, false]);
  await kill();
  await rm(folder, { recursive: true });
});

test('temporary folders of processes that are gone are removed, others stay', async () => {
  const abandoned = await newFolder();
  const kill = await lockElsewhere(path.join(abandoned, 'lock'));
  const notOurs = await newFolder();

  const first = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first].map(existsSync)).toEqual([true, true, true]);

  await kill();
  const second = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first, second].map(existsSync)).toEqual([false, true, true, true]);
  for (const folder of [notOurs, first, second]) await rm(folder, { recursive: true });
});
