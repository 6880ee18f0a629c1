import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { processIdentity } from './process-identity';
import { temporaryFolder } from './temporary-folder';

const PREFIX = 'shop-owned-';

test('folders of processes that are gone are removed, others stay', async () => {
  const child = spawn('sleep', ['600']);
  const owner = JSON.stringify({ pid: child.pid, identity: processIdentity(child.pid ?? 0) });
  const abandoned = await mkdtemp(path.join(os.tmpdir(), PREFIX));
  writeFileSync(path.join(abandoned, 'owner.json'), owner);
  const notOurs = await mkdtemp(path.join(os.tmpdir(), PREFIX));

  const first = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first].map(existsSync)).toEqual([true, true, true]);

  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  const second = await temporaryFolder(PREFIX);
  expect([abandoned, notOurs, first, second].map(existsSync)).toEqual([false, true, true, true]);
  for (const folder of [notOurs, first, second]) await rm(folder, { recursive: true });
});
