import { execFile } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Env } from '@shop/core/config';
import { OperatorError, repoRoot } from '@shop/test-servers';
import { containersIn, logDir, type State } from './state';

const run = promisify(execFile);

export const dockerLog = path.join(logDir, 'docker.log');

/** Whether a Docker engine responds. One that hangs counts as absent. */
export const dockerAnswers = (): Promise<boolean> =>
  run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 5000 }).then(
    ({ stdout }) => stdout.trim() !== '',
    () => false,
  );

/** Starts containers and waits until they are healthy. @throws OperatorError with the problem in one line */
export const composeUp = (containers: string[], env: Env): Promise<void> =>
  compose(['up', '-d', '--wait', ...containers], env, 600_000);

/** Stops containers and keeps their data. Never throws, because it is part of stopping. */
export const composeStop = (containers: string[]): Promise<void> =>
  compose(['stop', '--timeout', '20', ...containers], {}, 60_000).catch(() => undefined);

/** Stops the containers that a killed run has left running. */
export async function stopLeftContainers(state: State | undefined): Promise<void> {
  const left = containersIn(state);
  if (left.length === 0) return;
  console.log(`stopping the containers ${left.join(', ')}, which were left running`);
  await composeStop(left);
}

async function compose(args: string[], env: Env, timeout: number): Promise<void> {
  await mkdir(logDir, { recursive: true });
  const command = ['compose', '--file', path.join(repoRoot, 'docker-compose.yml'), ...args];
  const options = { cwd: repoRoot, env: { ...process.env, ...env }, timeout, maxBuffer: 1 << 26 };
  let failed = false;
  const output = await run('docker', command, options).catch((error: { stdout?: string; stderr?: string }) => {
    failed = true;
    return { stdout: '', stderr: String(error), ...error };
  });
  await appendFile(dockerLog, `docker compose ${args.join(' ')}\n${output.stdout}${output.stderr}\n`);
  if (failed) throw new OperatorError(output.stderr.trim().split('\n').at(-1) || 'docker compose failed');
}
