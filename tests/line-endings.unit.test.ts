import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

const folder = mkdtempSync(path.join(os.tmpdir(), 'clone-'));

afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8' });

test('a clone with core.autocrlf=true has Linux line endings', () => {
  // Uses a separate repository: this checkout may be an export without one, or have uncommitted changes.
  const gitDir = path.join(folder, 'origin.git');
  const clone = path.join(folder, 'clone');
  const git = (...args: string[]) =>
    run('git', `--git-dir=${gitDir}`, `--work-tree=${repoRoot}`, '-c', 'core.autocrlf=false', ...args);
  git('init', '-q');
  git('add', '--all');
  git('-c', 'user.name=test', '-c', 'user.email=test@example.com', 'commit', '-q', '-m', 'Everything');
  run('git', 'clone', '-q', '-c', 'core.autocrlf=true', gitDir, clone);

  const endings = run('git', '-C', clone, 'ls-files', '--eol').trimEnd().split('\n');
  expect(endings.length).toBeGreaterThan(100);
  expect(endings.filter((line) => !/^i\/(lf|none|-text) +w\/(lf|none|-text) /.test(line))).toEqual([]);
  expect(run(path.join(clone, 'run-services.sh'), '--help')).toContain('run-services.sh');
});
