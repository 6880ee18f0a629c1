import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findPreviousRelease } from './support/previous-release';

const folder = mkdtempSync(path.join(os.tmpdir(), 'history-'));
const repository = path.join(folder, 'origin');

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
const commit = (...tags: string[]): string => {
  git('commit', '-q', '--allow-empty', '-m', 'A change');
  for (const tag of tags) git('tag', tag);
  return git('rev-parse', 'HEAD');
};
const clone = (name: string, ...options: string[]): string => {
  execFileSync('git', ['clone', '-q', ...options, `file://${repository}`, path.join(folder, name)], { stdio: 'pipe' });
  return path.join(folder, name);
};

let first: string;
beforeAll(() => {
  execFileSync('git', ['init', '-q', repository]);
  first = commit();
});
afterAll(() => rmSync(folder, { recursive: true }));

const found = () => findPreviousRelease(repository, { name: 'untagged', commit: first });

test('the previous release is the newest tag before HEAD, by version, and without any the commit that is given', () => {
  expect(found()).toEqual({ name: 'untagged', commit: first });
  const [nine, ten] = [commit('v0.9.0', 'other'), commit('v0.10.0-rc.1', 'v0.10.0')];
  expect(found()).toEqual({ name: 'v0.9.0', commit: nine });
  commit();
  expect(found()).toEqual({ name: 'v0.10.0', commit: ten });
  commit('v0.11.0');
  expect(found()).toEqual({ name: 'v0.10.0', commit: ten });
  git('checkout', '-q', '--detach', nine);
  expect(found()).toEqual({ name: 'untagged', commit: first });
  git('checkout', '-q', '-');
});

test('it is missing in a part of the history, in another history, and without one', () => {
  expect(findPreviousRelease(clone('shallow', '--depth=1'))).toEqual({ missing: expect.stringContaining('shallow') });
  expect(findPreviousRelease(clone('untagged', '--no-tags'), { name: 'x', commit: '0'.repeat(40) })).toEqual({
    missing: expect.stringContaining('git does not know the previous release'),
  });
  expect(findPreviousRelease(folder)).toEqual({ missing: expect.stringContaining('not a git repository') });
});
