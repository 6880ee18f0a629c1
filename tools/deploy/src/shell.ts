import { execFile } from 'node:child_process';
import { requireProgram } from '@shop/test-servers';
import { interpolated, readCompose } from './compose';
import type { DeployFiles } from './files';
import { readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';

interface Script {
  file: string;
  at: string;
  text: string;
  /** Absent: taken from the script's first line. */
  shell?: string;
}

/** Runs shellcheck on every shell script and on the shell commands in Compose files and manifests. */
export const shellScriptsAreClean: Check = async (files) => {
  const scripts = [...scriptFiles(files), ...inCompose(files), ...inManifests(files)];
  return (await Promise.all(scripts.map(shellcheck))).flat();
};

const scriptFiles = (files: DeployFiles): Script[] =>
  files.paths.filter((file) => /\.sh$|^\.ci\//.test(file)).map((file) => ({ file, at: '', text: files.read(file) }));

/** `[sh, -c, script]`, as in Compose and Kubernetes, and Compose's own notation for health checks. */
function scriptOf([program = '', flag, script]: string[]): { text: string; shell: string } | undefined {
  if (program === 'CMD-SHELL') return { text: flag ?? '', shell: 'sh' };
  const [, shell] = /^(?:\/bin\/)?((?:ba)?sh)$/.exec(program) ?? [];
  return shell !== undefined && flag === '-c' && script !== undefined ? { text: script, shell } : undefined;
}

const inCompose = (files: DeployFiles): Script[] =>
  readCompose(files).flatMap(({ file, services }) =>
    Object.entries(services).flatMap(([name, { command, entrypoint, healthcheck }]) =>
      Object.entries({ command, entrypoint, healthcheck: healthcheck?.test }).flatMap(([key, words]) => {
        const script = Array.isArray(words) ? scriptOf(words) : undefined;
        if (!script) return [];
        return [{ ...script, file, at: `services.${name}.${key}`, text: interpolated(script.text) }];
      }),
    ),
  );

const inManifests = (files: DeployFiles): Script[] =>
  workloads(readManifests(files)).flatMap(({ file, at, pod }) =>
    pod.containers.flatMap(({ command = [], args = [], startupProbe, livenessProbe, readinessProbe }) =>
      [
        [...command, ...args],
        ...[startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.exec?.command ?? []),
      ]
        .map(scriptOf)
        .flatMap((script) => (script ? [{ ...script, file, at }] : [])),
    ),
  );

function shellcheck({ file, at, text, shell }: Script): Promise<Found[]> {
  const program = requireProgram('shellcheck');
  const args = ['--format=gcc', '--external-sources', ...(shell ? [`--shell=${shell}`] : []), '-'];
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, (error, stdout) => {
      if (error && !stdout) return reject(error);
      const lines = stdout.split('\n').filter(Boolean);
      const said = lines.map((line) => /^-:(\d+):\d+: (.*)$/.exec(line));
      resolve(
        said.map((match) => ({
          file,
          at: [at, `line ${match?.[1]}`].filter(Boolean).join(' '),
          message: match?.[2] ?? stdout,
        })),
      );
    });
    child.stdin?.end(text);
  });
}
