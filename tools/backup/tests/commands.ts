import { execFile, execFileSync, spawn } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { repoRoot } from '@shop/test-servers';
import { rows, write } from '@shop/testing';

const cli = path.join(repoRoot, 'tools/backup/dist/cli.js');
const optionsWith = (env: Env) => ({ cwd: repoRoot, env: { ...process.env, ...env } });

/** Runs a command as a process. */
export const run = (env: Env, ...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [cli, ...args], optionsWith(env), (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });

/** Starts a command that stops when it reads `file`, until it is killed. Then the file is as before. */
export async function runUpTo(file: string, env: Env, ...args: string[]) {
  await rename(file, `${file}.original`);
  // Opening a named pipe waits for a writer.
  execFileSync('mkfifo', [file]);
  const running = spawn(process.execPath, [cli, ...args], { ...optionsWith(env), stdio: 'ignore' });
  const exited = new Promise((resolve) => running.once('exit', resolve));
  return {
    async kill() {
      running.kill('SIGKILL');
      await exited;
      await rm(file);
      await rename(`${file}.original`, file);
    },
  };
}

const names = new Set<string>();

/** A name for a database that the command under test creates. */
export function aDatabaseName(name = `shop_restored_${names.size}_${process.pid}`): string {
  names.add(name);
  return name;
}

export async function dropNamedDatabases(): Promise<void> {
  for (const name of names) await write(`DROP DATABASE IF EXISTS ${name}`);
  names.clear();
}

export const tablesIn = async (database: string): Promise<string[]> =>
  (
    await rows<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1',
      [database],
    )
  ).map(({ name }) => name);

export const databaseExists = async (name: string): Promise<boolean> =>
  (await rows('SELECT 1 FROM information_schema.schemata WHERE schema_name = ?', [name])).length > 0;
