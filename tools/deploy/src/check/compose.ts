import { composeFiles, type DeployFiles } from './files';
import { yamlValues } from './yaml';

/** The keys of a Compose service that the checks use, as this repository's files write them. */
interface ComposeService {
  image?: string;
  environment?: Record<string, string | number | null>;
  command?: string[];
  env_file?: string;
  stop_grace_period?: string;
  secrets?: string[];
  deploy?: { replicas?: number; update_config?: { order?: string; parallelism?: number } };
}

interface ComposeFile {
  file: string;
  services: Record<string, ComposeService>;
  secrets?: Record<string, unknown>;
}

export const readCompose = (files: DeployFiles): ComposeFile[] =>
  composeFiles(files).map((file) => ({ services: {}, ...(yamlValues(files, file)[0] as object), file }));

export function baseCompose(files: DeployFiles): ComposeFile {
  const base = readCompose(files).find(({ file }) => file === 'docker-compose.yml');
  if (!base) throw new Error('there is no docker-compose.yml');
  return base;
}

/** The base file alone, and the base file merged with each overlay. */
export function composeLayers(files: DeployFiles): ComposeFile[] {
  const base = baseCompose(files);
  const overlays = readCompose(files).filter(({ file }) => file !== base.file);
  return [base, ...overlays.map((overlay) => merged(base, overlay))];
}

function merged(base: ComposeFile, overlay: ComposeFile): ComposeFile {
  const services = { ...base.services, ...overlay.services };
  for (const name of Object.keys(services)) {
    const [below = {}, above = {}] = [base.services[name], overlay.services[name]];
    services[name] = {
      ...below,
      ...above,
      environment: { ...below.environment, ...above.environment },
      deploy: { ...below.deploy, ...above.deploy },
      secrets: [...(below.secrets ?? []), ...(above.secrets ?? [])],
    };
  }
  return { file: overlay.file, services, secrets: { ...base.secrets, ...overlay.secrets } };
}

/** Resolves `${NAME:-default}` and so on with an empty environment, and `$$` to `$`. */
export const interpolated = (text: string): string =>
  text.replace(/\$(?:\$|\{\w+(?::?([-?+])([^}]*))?\})/g, (all, kind?: string, word = '') => {
    if (all === '$$') return '$';
    return kind === '-' ? word : '';
  });

export const environmentOf = ({ environment = {} }: ComposeService = {}): [name: string, value: string][] =>
  Object.entries(environment).map(([name, value]) => [name, String(value ?? '')]);
