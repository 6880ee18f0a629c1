import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import { aFreshDatabase, closeDatabases, eventually } from '@shop/testing';

const temporary = path.join(os.tmpdir(), 'leftovers');
let database: string;

beforeAll(async () => {
  mkdirSync(temporary);
  database = await aFreshDatabase();
});
afterAll(closeDatabases);

/** Starts a separate test run on this run's database server. All its temporary files go to `temporary`. */
function startJest(): { child: ChildProcess; ended: Promise<number | NodeJS.Signals | null> } {
  const { SHOP_TEST_DB_HOST, SHOP_TEST_DB_PORT, SHOP_TEST_DB_USER, SHOP_TEST_DB_PASS } = process.env;
  const jest = path.join(repoRoot, 'node_modules/jest/bin/jest.js');
  const child = spawn(process.execPath, [jest, 'packages/shop/src/money.unit.test.ts'], {
    cwd: repoRoot,
    stdio: 'ignore',
    env: {
      ...process.env,
      TMPDIR: temporary,
      TEST_DB_HOST: SHOP_TEST_DB_HOST,
      TEST_DB_PORT: SHOP_TEST_DB_PORT,
      TEST_DB_USER: SHOP_TEST_DB_USER,
      TEST_DB_PASS: SHOP_TEST_DB_PASS,
      TEST_DB_NAME: database,
    },
  });
  return { child, ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal))) };
}

const folders = () => readdirSync(temporary).filter((name) => name.startsWith('shop-'));
const begun = () =>
  eventually('Redis of the run', () => folders().some((name) => existsSync(path.join(temporary, name, 'redis-1'))));

test('an interrupted run leaves no temporary folder, and the next run removes the folder of a killed run', async () => {
  const interrupted = startJest();
  await begun();
  interrupted.child.kill('SIGINT');
  expect(await interrupted.ended).toBe(130);
  expect(folders()).toEqual([]);

  const killed = startJest();
  await begun();
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(folders()).toHaveLength(1);

  expect(await startJest().ended).toBe(0);
  expect(folders()).toEqual([]);
});
