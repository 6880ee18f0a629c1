import { composeFiles, type DeployFiles } from './files';
import { yamlValues } from './yaml';

/** The keys of a Compose service that the checks use, as this repository's files write them. */
export interface ComposeService {
  /** The service of another file that it is, apart from what it adds. */
  extends?: { file: string; service: string };
  image?: string;
  user?: string;
  environment?: Record<string, string | number | null>;
  command?: string[];
  entrypoint?: string[];
  healthcheck?: { test?: string[] };
  env_file?: string;
  stop_grace_period?: string;
  logging?: { options?: Record<string, string> };
  depends_on?: string[];
  networks?: string[];
  ports?: (string | { target: number })[];
  volumes?: (string | Mount)[];
  secrets?: string[];
  configs?: Mount[];
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  deploy?: {
    replicas?: number;
    update_config?: { order?: string; parallelism?: number };
    resources?: { limits?: { memory?: string } };
  };
}

/** A volume or a config. A tmpfs has no source. */
interface Mount {
  source?: string;
  target: string;
}

/** What a Compose file declares once, and services use by name. */
export const declarable = ['networks', 'volumes', 'secrets', 'configs'] as const;

type Declared = Record<string, { file?: string; name?: string; external?: boolean } | null>;

export interface ComposeFile extends Partial<Record<(typeof declarable)[number], Declared>> {
  file: string;
  services: Record<string, ComposeService>;
}

export function readCompose(files: DeployFiles): ComposeFile[] {
  const read = composeFiles(files).map(
    (file): ComposeFile => ({ services: {}, ...(yamlValues(files, file)[0] as object), file }),
  );
  const extended = ({ extends: origin }: ComposeService) =>
    origin && read.find(({ file }) => file === origin.file)?.services[origin.service];
  return read.map((composeFile) => ({
    ...composeFile,
    services: Object.fromEntries(
      Object.entries(composeFile.services).map(([name, service]) => [name, { ...extended(service), ...service }]),
    ),
  }));
}

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
  const lists = ['ports', ...declarable] as const;
  const services = { ...base.services, ...overlay.services };
  for (const name of Object.keys(services)) {
    const [below = {}, above = {}] = [base.services[name], overlay.services[name]];
    services[name] = {
      ...below,
      ...above,
      environment: { ...below.environment, ...above.environment },
      deploy: { ...below.deploy, ...above.deploy },
      ...Object.fromEntries(lists.map((list) => [list, [...(below[list] ?? []), ...(above[list] ?? [])]])),
    };
  }
  const declared = declarable.map((kind) => [kind, { ...base[kind], ...overlay[kind] }]);
  return { file: overlay.file, services, ...Object.fromEntries(declared) };
}

/** Resolves `${NAME:-default}` and so on with an empty environment, and `$$` to `$`. A default may be such an expression too. */
export const interpolated = (text: string): string =>
  text.replace(/\$(?:\$|\{\w+(?::?([-?+])((?:\$\{[^}]*\}|[^}])*))?\})/g, (all, kind?: string, word = '') => {
    if (all === '$$') return '$';
    return kind === '-' ? interpolated(word) : '';
  });

export const environmentOf = ({ environment = {} }: ComposeService = {}): [name: string, value: string][] =>
  Object.entries(environment).map(([name, value]) => [name, String(value ?? '')]);
