import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

const read = (file: string): string => readFileSync(path.join(repoRoot, file), 'utf8');
const changelog = read('CHANGELOG.md');
const versions = [...changelog.matchAll(/^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/gm)].map(([, version]) => `${version}`);

const releaseNotes = (version: string) =>
  spawnSync(process.execPath, [path.join(repoRoot, 'scripts/changelog-section.mjs'), version], { encoding: 'utf8' });

test('the changelog has a dated section for the version in package.json, the newest first', () => {
  expect(versions[0]).toBe(JSON.parse(read('package.json')).version);
  expect(versions).toContain('0.1.0');
});

test('the release notes of a version are its section, with one line per paragraph', () => {
  const words = (text: string) => text.trim().split(/\s+/);
  const sections = changelog.split(/^## .*$/m).slice(-versions.length);
  const notes = versions.map((version) => releaseNotes(version).stdout);
  expect(notes.map(words)).toEqual(sections.map(words));
  expect(notes.join('')).not.toMatch(/^ |^[a-z]/m);
});

test.each(['9.9.9', '', '0.1'])('fails for version "%s", which has no section', (version) => {
  const { status, stdout, stderr } = releaseNotes(version);
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  expect(stderr).toContain(`no section for version "${version}"`);
});
