/**
 * How much code there is: lines of the services and packages without their tests and test servers, and what switches the type checker or the
 * linter off. A figure of the code, not of speed.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PARTS = [
  'services',
  'packages/core',
  'packages/shop',
  'packages/test-servers',
  'tools/dev',
  'tools/deploy',
  'tests',
];
const DOUBLE_CASTS = /\bas unknown as\b|\bas never\b/g;
const ANY = /: any[;,)\]=>\s]*$|<any>|\bas any\b/gm;
const SUPPRESSIONS = /biome-ignore|@ts-(ignore|expect-error|nocheck)/g;

export async function run() {
  console.log('| part | lines | any | double casts | suppressions |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const part of PARTS) {
    const source = await sourceOf(part);
    const count = (pattern) => source.match(pattern)?.length ?? 0;
    console.log(`| ${[part, count(/\n/g), count(ANY), count(DOUBLE_CASTS), count(SUPPRESSIONS)].join(' | ')} |`);
  }
}

async function sourceOf(part) {
  const { stdout } = await promisify(execFile)('git', ['ls-files', `${part}/**/*.ts`], { cwd: root });
  const files = stdout
    .split('\n')
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/^services\/.*\/tests\//.test(file));
  return (await Promise.all(files.map((file) => readFile(path.join(root, file), 'utf8')))).join('');
}
