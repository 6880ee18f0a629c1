import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { processIdentity, stillRuns } from '@shop/test-servers';
import { claimState, type FleetState, readState, removeState } from './state';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'shop-state-'));
  file = path.join(folder, 'fleet.json');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const aState = (): FleetState => ({
  pid: process.pid,
  identity: processIdentity(process.pid),
  startedAt: new Date(0).toISOString(),
  entries: [],
});

test('only one can claim the state, until it is removed', () => {
  expect(claimState(aState(), file)).toBe(true);
  expect(claimState({ ...aState(), pid: 1 }, file)).toBe(false);
  expect(readState(file)).toEqual(aState());
  removeState(file);
  expect(claimState(aState(), file)).toBe(true);
});

test('a file that is missing or broken is no state', () => {
  expect(readState(file)).toBeUndefined();
  expect(readState(__filename)).toBeUndefined();
});

test('a process is known again while it runs', async () => {
  const child = spawn('sleep', ['60']);
  const entry = { pid: child.pid, identity: processIdentity(child.pid ?? 0) };
  expect(stillRuns(entry)).toBe(true);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  expect(stillRuns(entry)).toBe(false);
});

test('another process with the pid that was written down is not taken for it', () => {
  expect(stillRuns({ pid: process.pid, identity: 'an earlier one' })).toBe(false);
  expect(stillRuns({ pid: process.pid })).toBe(false);
});
