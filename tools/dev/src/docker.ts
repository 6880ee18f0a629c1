import { execFile } from 'node:child_process';
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Env, findBinary, repoRoot } from '@shop/test-servers';

const run = promisify(execFile);

/** Service names in docker-compose.yml. */
export type ComposeService = 'db' | 'redis';

/** Whether a Docker engine responds. One that hangs counts as absent. */
export async function dockerAnswers(): Promise<boolean> {
  const docker = findBinary('docker');
  if (docker === undefined) return false;
  try {
    const { stdout } = await run(docker, ['info', '--format', '{{.ServerVersion}}'], { timeout: 5000 });
    return stdout.trim() !== '';
  } catch {
    return false;
  }
}

/** Starts containers and waits until they are healthy. @returns undefined, or the problem in one line */
export async function composeUp(services: ComposeService[], env: Env, logFile: string): Promise<string | undefined> {
  try {
    await compose(['up', '-d', '--wait', ...services], env, logFile, 600_000);
    return undefined;
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return output.trim().split('\n').at(-1) || 'docker compose failed';
  }
}

/** The names of our containers that are already running. */
export async function composeRunning(env: Env, logFile: string): Promise<string[]> {
  try {
    const stdout = await compose(['ps', '--status', 'running', '--services'], env, logFile, 10_000);
    return stdout.split('\n').filter((line) => line !== '');
  } catch {
    return [];
  }
}

/** Stops containers and keeps their data. Never throws, because it is part of stopping. */
export async function composeStop(services: ComposeService[], env: Env, logFile: string): Promise<void> {
  await compose(['stop', '--timeout', '20', ...services], env, logFile, 60_000).catch(() => undefined);
}

async function compose(args: string[], env: Env, logFile: string, timeout: number): Promise<string> {
  await mkdir(path.dirname(logFile), { recursive: true });
  const work = run('docker', ['compose', '--file', path.join(repoRoot, 'docker-compose.yml'), ...args], {
    cwd: repoRoot,
    env: { ...process.env, ...env },
    timeout,
    maxBuffer: 1 << 26,
  });
  const output = await work.catch(async (error: Error & { stderr?: string }) => {
    await appendFile(logFile, `docker compose ${args.join(' ')}\n${error.stderr ?? error.message}\n`);
    throw error;
  });
  await appendFile(logFile, `docker compose ${args.join(' ')}\n${output.stdout}${output.stderr}\n`);
  return output.stdout;
}
