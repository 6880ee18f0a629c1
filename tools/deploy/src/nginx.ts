import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { limitVariables, requireProgram } from '@shop/test-servers';
import { baseOf, type ComposeFile, environmentOf, interpolated, mountedConfigs, readCompose } from './compose';
import type { DeployFiles } from './files';
import { ofKind, readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';

const run = promisify(execFile);

interface Gateway {
  name: string;
  /** The output of the image's envsubst, by path. */
  conf: Record<string, string>;
}

/** Runs `nginx -t` on the gateway's configuration with the variables of Compose and of Kubernetes. */
export const nginxAcceptsItsConfiguration: Check = async (files) => {
  const found: Found[] = [];
  for (const { name, conf } of [composeGateway(baseOf(readCompose(files)), files), kubernetesGateway(files)]) {
    const left = Object.entries(conf).flatMap(([file, text]) =>
      [...text.matchAll(/\$\{(\w+)\}/g)].map(([, variable]) => `${file} needs ${variable}, which is not set`),
    );
    const messages = left.length > 0 ? left : await complaints(conf);
    found.push(...messages.map((message) => ({ file: 'nginx/templates', at: `as in ${name}`, message })));
  }
  return found;
};

/** The ports of every server in the configuration. */
export const listenedPorts = ({ conf }: Gateway): number[] =>
  [...directives(conf).matchAll(/\blisten\s+(?:\S+:)?(\d+)\b/g)].map(([, port]) => Number(port));

/** The time that requests in progress have after a stop signal; without the directive, unlimited. */
export const shutdownSeconds = ({ conf }: Gateway): number =>
  Number(/\bworker_shutdown_timeout\s+(\d+)s?;/.exec(directives(conf))?.[1] ?? Number.POSITIVE_INFINITY);

const directives = (conf: Gateway['conf']): string =>
  Object.values(conf)
    .join('\n')
    .replace(/^\s*#.*$/gm, '');

export function composeGateway(compose: ComposeFile, files: DeployFiles): Gateway {
  const { nginx = {} } = compose.services;
  const envFile = nginx.env_file === undefined ? {} : parseEnv(files.read(interpolated(String(nginx.env_file))));
  const own = [...environmentOf(nginx)].map(([name, value]): [string, string] => [name, interpolated(value)]);
  const values = new Map([
    ...Object.entries(envFile).map(([name, value = '']): [string, string] => [name, value]),
    ...own,
  ]);
  const texts = mountedConfigs(compose, nginx)
    .filter(({ target }) => target.startsWith(templates))
    .map(({ target, source }): [string, string] => [confName(target.slice(templates.length)), files.read(source)]);
  return { name: compose.file, conf: filledIn(texts, values) };
}

const templates = '/etc/nginx/templates/';
const confName = (template: string): string => template.replace(/\.template$/, '');

export function kubernetesGateway(files: DeployFiles): Gateway {
  const manifests = readManifests(files);
  const [gateway] = workloads(manifests).filter(({ metadata }) => metadata.name === 'nginx');
  const maps = new Map(ofKind(manifests, 'ConfigMap').map(({ metadata, data }) => [metadata.name, data]));
  const values = new Map<string, string>();
  for (const { name, value = '', valueFrom } of gateway?.pod.containers.flatMap(({ env = [] }) => env) ?? []) {
    const { configMapKeyRef: from } = valueFrom ?? {};
    values.set(name, (from ? maps.get(from.name)?.[from.key] : value) ?? '');
  }
  // In the pod, the shell command determines the resolver.
  values.set('NGINX_RESOLVER', '127.0.0.1');
  const sources = gateway?.pod.volumes?.flatMap(({ projected }) => projected?.sources ?? []) ?? [];
  const texts = sources.flatMap(({ configMap }) =>
    (configMap?.items ?? []).map(({ key, path: to }): [string, string] => [
      confName(to),
      maps.get(configMap?.name ?? '')?.[key] ?? '',
    ]),
  );
  return { name: gateway?.file ?? 'k8s', conf: filledIn(texts, values) };
}

/** Fills in the templates like the image's envsubst. limits.sh runs first and adds to the environment. */
function filledIn(texts: [name: string, text: string][], given: Map<string, string>): Record<string, string> {
  const [, script = ''] = texts.find(([name]) => name === 'limits.sh') ?? [];
  const values = new Map([...given, ...limitVariables(script, Object.fromEntries(given))]);
  return Object.fromEntries(
    texts
      .filter(([name]) => name !== 'limits.sh')
      .map(([name, text]) => [name, text.replace(/\$\{([A-Z_]+)\}/g, (all, key: string) => values.get(key) ?? all)]),
  );
}

async function complaints(conf: Record<string, string>): Promise<string[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'check-nginx-'));
  try {
    await mkdir(path.join(folder, 'conf.d'));
    for (const [name, text] of Object.entries(conf))
      await writeFile(path.join(folder, name), onThisMachine(text, folder));
    await run(requireProgram('nginx'), ['-t', '-q', '-e', 'stderr', '-p', folder, '-c', `${folder}/nginx.conf`]);
    return [];
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    const emergencies = text.split('\n').filter((line) => line.includes('[emerg]'));
    return (emergencies.length > 0 ? emergencies : [text]).map((line) =>
      line
        .replace(/^.*\[emerg\] (\d+#\d+: )?/, '')
        .replaceAll(`${folder}/`, '')
        .trim(),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Replaces ports and folders, because even `nginx -t` binds ports and creates folders. */
const onThisMachine = (text: string, folder: string): string =>
  text
    .replaceAll(' /tmp/', ` ${folder}/`)
    .replace(/\blisten (\[::\]:)?(80|443)\b/g, 'listen $120$2')
    .replaceAll('/dev/stdout', `${folder}/access.log`)
    .replaceAll('/dev/stderr', 'stderr');
