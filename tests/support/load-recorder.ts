import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export interface LoadRecorder {
  /** For the process. */
  env: { NODE_OPTIONS: string };
  /** The paths of the CommonJS modules that it had loaded when it exited. */
  files(): string[];
}

/** Makes a process report on exit which modules it has loaded. */
export function loadRecorder(): LoadRecorder {
  const file = path.join(process.env.SHOP_TEST_DIR ?? '/tmp', `loaded-${randomUUID()}`);
  const writeLoaded = `require('node:fs').writeFileSync('${file}', Object.keys(require.cache).join('\\n'))`;
  writeFileSync(`${file}.cjs`, `process.on('exit', () => ${writeLoaded});`);
  return {
    env: { NODE_OPTIONS: `--require "${file}.cjs"` },
    files: () => readFileSync(file, 'utf8').split('\n'),
  };
}

/** The npm packages of these files. */
export function packagesOf(files: readonly string[]): string[] {
  const names = files.flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}
