import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { parseAllDocuments } from 'yaml';

/** The stacks read the product's own files and copy none of them. */
export const repoRoot = path.join(__dirname, '../../..');

const read = (file: string): string => readFileSync(path.join(repoRoot, file), 'utf8');

/** `.env.production`. Its empty values are left out: they mean "not set". */
export function productionSettings(): Record<string, string> {
  const all = Object.entries(parseEnv(read('.env.production')));
  return Object.fromEntries(all.filter((entry): entry is [string, string] => Boolean(entry[1])));
}

/** What `HEALTHCHECK` in the Dockerfile says. ECS ignores the one in the image. */
export function dockerfileHealthCheck(dockerfile = read('Dockerfile')) {
  const [, options = '', command] = /^HEALTHCHECK ([^\\]*)\\?\s*CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  if (!command) throw new Error('the Dockerfile has no HEALTHCHECK with a command as a list');
  const option = (name: string): number => {
    const [, value] = new RegExp(`--${name}=(\\d+)`).exec(options) ?? [];
    if (!value) throw new Error(`the Dockerfile's HEALTHCHECK has no --${name}`);
    return Number(value);
  };
  return {
    command: JSON.parse(command) as string[],
    intervalSeconds: option('interval'),
    timeoutSeconds: option('timeout'),
    startPeriodSeconds: option('start-period'),
    retries: option('retries'),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any kind of Kubernetes object
export type KubernetesObject = Record<string, any>;

/** The objects of each file in `k8s/`, in the order in which kubectl applies the files. */
export function kubernetesFiles(): { file: string; objects: KubernetesObject[] }[] {
  const files = readdirSync(path.join(repoRoot, 'k8s')).filter((file) => file.endsWith('.yaml'));
  return files.sort().map((file) => ({
    file,
    objects: parseAllDocuments(read(`k8s/${file}`)).map((document) => document.toJS() as KubernetesObject),
  }));
}

/** The image of the gateway that Kubernetes runs. */
export function nginxImage(): string {
  const [, image] = /^\s*image: (nginx:\S+)$/m.exec(read('k8s/nginx.yaml')) ?? [];
  if (!image) throw new Error('k8s/nginx.yaml names no image nginx:…');
  return image;
}
