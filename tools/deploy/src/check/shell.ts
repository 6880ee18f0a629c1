import { spawnSync } from 'node:child_process';
import { requireProgram } from '@shop/test-servers';
import type { Check } from './check';
import { interpolated } from './compose';
import { composeFiles, type DeployFiles, manifestFiles } from './files';
import { yamlValues } from './yaml';

interface Script {
  where: string;
  text: string;
  /** Absent: taken from the script's first line. */
  shell?: string;
}

/** Runs shellcheck on every shell script and on the shell commands in Compose files and manifests. */
export const shellScriptsAreClean: Check = (files) => {
  const scripts = files.paths.filter((file) => /\.sh$|^\.(ci|githooks)\//.test(file));
  const inCompose = composeFiles(files).flatMap((file) => commandsIn(files, file));
  return [
    ...scripts.map((file): Script => ({ where: file, text: files.read(file) })),
    ...inCompose.map((script) => ({ ...script, text: interpolated(script.text) })),
    ...manifestFiles(files).flatMap((file) => commandsIn(files, file)),
  ].flatMap(shellcheck);
};

const commandsIn = (files: DeployFiles, file: string): Script[] =>
  yamlValues(files, file).flatMap((value) => shellCommands(value, `${file}: `));

/** Every `[sh, -c, script]` in a YAML value, also if it is split into `command` and `args`, and Compose's `[CMD-SHELL, script]`. */
function shellCommands(value: unknown, where: string): Script[] {
  if (typeof value !== 'object' || value === null) return [];
  const { command, args, ...rest } = value as Record<string, unknown>;
  if (Array.isArray(command) && Array.isArray(args)) {
    return shellCommands({ ...rest, command: [...command, ...args] }, where);
  }
  const [program, flag, script] = Object.values(value).map(String);
  if (program === 'CMD-SHELL') return [{ where, text: flag ?? '', shell: 'sh' }];
  const [, shell] = /^(?:\/bin\/)?((?:ba)?sh)$/.exec(program ?? '') ?? [];
  if (shell && flag === '-c') return [{ where, text: script ?? '', shell }];
  return Object.entries(value).flatMap(([key, inner]) => shellCommands(inner, `${where}.${key}`));
}

function shellcheck({ where, text, shell }: Script): string[] {
  const args = ['--format=gcc', '--external-sources', ...(shell ? [`--shell=${shell}`] : []), '-'];
  const { status, stdout, stderr } = spawnSync(requireProgram('shellcheck'), args, { input: text, encoding: 'utf8' });
  if (status !== 0 && !stdout) throw new Error(`shellcheck: ${stderr}`);
  return [...stdout.matchAll(/^-:(\d+):\d+: (.*)$/gm)].map(([, line, said]) => `${where}: line ${line}: ${said}`);
}
