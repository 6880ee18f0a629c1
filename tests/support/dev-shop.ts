import { spawn } from 'node:child_process';
import path from 'node:path';
import { freePort, serviceNames } from '@shop/test-servers';
import { eventually } from './eventually';

export interface Run {
  pid: number;
  output(): string;
  ended: Promise<number | null>;
}

export interface DevSettings {
  /** Of each service, and of `gateway`, `db` and `redis`. */
  ports: ReadonlyMap<string, number>;
  env: NodeJS.ProcessEnv;
}

/** The environment of a `run-services.sh` with its data in `dir`, on ports of its own. */
export async function devSettings(dir: string): Promise<DevSettings> {
  const ports = new Map<string, number>();
  for (const name of [...serviceNames, 'gateway', 'db', 'redis']) ports.set(name, await freePort());
  const { ENV_FILE, ...inherited } = process.env;
  const env: NodeJS.ProcessEnv = {
    ...inherited,
    APP_ENV: 'local',
    SHOP_DATA_DIR: dir,
    UPLOAD_PATH: path.join(dir, 'uploads'),
    DOCKER_HOST: `unix://${dir}/no-docker.sock`,
    LOG_LEVEL: 'warn',
    SHUTDOWN_DELAY_SECONDS: '0', // no load balancer must notice a shutdown before it happens
  };
  for (const [name, port] of ports) env[`${name.toUpperCase()}_PORT`] = String(port);
  return { ports, env };
}

/** As from a terminal: in its own process group, so that Ctrl+C reaches all of it. */
export function startCommand(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Run {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

export const resultOf = async (run: Run) => ({ code: await run.ended, output: run.output() });

/** Resolves when the line has been printed; fails with the whole output if the command ends without it. */
export async function printed(run: Run, line: RegExp): Promise<void> {
  let over = false;
  void run.ended.then(() => {
    over = true;
  });
  await eventually(String(line), () => over || line.test(run.output()));
  if (!line.test(run.output())) throw new Error(`ended without ${line}:\n${run.output()}`);
}
