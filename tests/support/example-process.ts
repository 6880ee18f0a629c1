import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Env } from '@shop/core/config';
import { type Exit, freePort, repoRoot, spawnProcess, tail } from '@shop/test-servers';
import { testEnv } from './test-app';

export interface ExampleProcess {
  url: string;
  port: number;
  /** Everything it has written, including standard error. */
  output(): string;
  /** Its log lines. */
  lines(): Record<string, unknown>[];
  signal(signal: NodeJS.Signals): void;
  exited: Promise<Exit>;
  kill(): Promise<Exit>;
}

/** Starts `example-main.cjs` as a process, without waiting until it is ready. */
export async function startExampleProcess(overrides: Env = {}): Promise<ExampleProcess> {
  const port = Number(overrides.AUTH_PORT ?? (await freePort()));
  const logFile = path.join(process.env.SHOP_TEST_DIR ?? '', `example-${randomUUID()}.log`);
  const child = await spawnProcess({
    name: 'example',
    command: process.execPath,
    args: [path.join(repoRoot, 'tests/support/example-main.cjs')],
    logFile,
    env: { ...process.env, ...testEnv({ LOG_LEVEL: 'info', AUTH_PORT: String(port), ...overrides }) },
    dieWithParent: true,
  });
  const output = () => tail(logFile, Number.POSITIVE_INFINITY);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    output,
    lines: () =>
      output()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line)),
    signal: (signal) => child.signal(signal),
    exited: child.exited,
    kill: () => {
      child.signal('SIGKILL');
      return child.exited;
    },
  };
}
