import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { limitVariables, requireProgram } from '@shop/test-servers';
import type { Check } from './check';
import { baseCompose, environmentOf, interpolated } from './compose';
import type { DeployFiles } from './files';
import { dataOf, environmentIn, readWorkloads } from './manifests';

/** Runs `nginx -t` on the gateway's configuration with the variables of Compose and of Kubernetes. */
export const nginxAcceptsItsConfiguration: Check = (files) => {
  const shared = {
    'nginx.conf': files.read('nginx/containers/nginx.conf.template'),
    'conf.d/default.conf': files.read('nginx/templates/default.conf.template'),
  };
  const ports = files.read('nginx/containers/service-ports.map.template');
  const realIp = dataOf(files, 'nginx-real-ip')['real-ip.conf.template'] ?? '';
  return [
    ...problemsOf('docker-compose.yml', files, composeVariables(files), {
      ...shared,
      'conf.d/service-ports.map': ports,
    }),
    ...problemsOf('k8s/nginx.yaml', files, podVariables(files), { ...shared, 'conf.d/00-real-ip.conf': realIp }),
  ];
};

function composeVariables(files: DeployFiles): Record<string, string | undefined> {
  const { nginx = {} } = baseCompose(files).services;
  const own = environmentOf(nginx).map(([name, value]) => [name, interpolated(value)]);
  return { ...parseEnv(files.read(interpolated(nginx.env_file ?? ''))), ...Object.fromEntries(own) };
}

function podVariables(files: DeployFiles): Record<string, string> {
  const container = readWorkloads(files).find(({ metadata }) => metadata.name === 'nginx')?.pod.containers[0];
  // In the pod, the shell command determines the resolver.
  return { ...(container ? environmentIn(files, container) : {}), NGINX_RESOLVER: '127.0.0.1' };
}

/** Fills in the templates like the image's envsubst; limits.sh runs first and adds to the environment. Then runs nginx. */
function problemsOf(
  where: string,
  files: DeployFiles,
  variables: Record<string, string | undefined>,
  templates: Record<string, string>,
): string[] {
  const given = Object.fromEntries(Object.entries(variables).map(([name, value = '']) => [name, value]));
  const values = new Map([...Object.entries(given), ...limitVariables(files.read('nginx/limits.sh'), given)]);
  const folder = mkdtempSync(path.join(tmpdir(), 'check-nginx-'));
  try {
    mkdirSync(path.join(folder, 'conf.d'));
    for (const [file, template] of Object.entries(templates)) {
      const text = template.replace(/\$\{([A-Z_]+)\}/g, (all, name: string) => values.get(name) ?? all);
      const [unset] = /\$\{[A-Z_]+\}/.exec(text) ?? [];
      if (unset) return [`${where}: nginx needs ${unset}`];
      writeFileSync(path.join(folder, file), onThisMachine(text, folder));
    }
    const args = ['-t', '-q', '-e', 'stderr', '-p', folder, '-c', `${folder}/nginx.conf`];
    const { status, stderr } = spawnSync(requireProgram('nginx'), args, { encoding: 'utf8' });
    return status === 0 ? [] : [`${where}: ${stderr.trim().replaceAll(`${folder}/`, '')}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Replaces ports and folders, because even `nginx -t` binds ports and creates folders. */
const onThisMachine = (text: string, folder: string): string =>
  text
    .replaceAll(' /tmp/', ` ${folder}/`)
    .replace(/\blisten (\[::\]:)?(80|443)\b/g, 'listen $120$2')
    .replaceAll('/dev/stdout', `${folder}/access.log`)
    .replaceAll('/dev/stderr', 'stderr');
