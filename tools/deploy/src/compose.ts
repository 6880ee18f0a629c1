import { composeFiles, type DeployFiles } from './files';
import type { Check, Found } from './problem';
import { yamlValues } from './yaml';

/** The keys of a Compose file that the checks use. The schema check has already verified their types. */
export interface ComposeService {
  image?: string;
  build?: unknown;
  container_name?: string;
  depends_on?: string[] | Record<string, unknown>;
  environment?: string[] | Record<string, string | number | null>;
  command?: string | string[];
  entrypoint?: string | string[];
  healthcheck?: { test?: string | string[] };
  env_file?: unknown;
  ports?: (string | number | { target: number; published?: string | number })[];
  stop_grace_period?: string;
  networks?: string[] | Record<string, unknown>;
  volumes?: (string | { type: string; source?: string; target?: string })[];
  secrets?: (string | { source: string })[];
  configs?: (string | { source: string; target?: string })[];
  deploy?: { replicas?: number; update_config?: { order?: string; parallelism?: number } };
}

const shared = ['networks', 'volumes', 'secrets', 'configs'] as const;
type Shared = (typeof shared)[number];

interface Declared {
  file?: string;
  ipam?: { config?: { subnet?: string }[] };
}

export interface ComposeFile extends Partial<Record<Shared, Record<string, Declared | null>>> {
  file: string;
  services: Record<string, ComposeService>;
}

const baseFile = 'docker-compose.yml';

export function readCompose(files: DeployFiles): ComposeFile[] {
  return composeFiles(files).map((file) => {
    const [value] = yamlValues(files, file);
    return { services: {}, ...(value as object), file };
  });
}

export const baseOf = (all: ComposeFile[]): ComposeFile =>
  all.find(({ file }) => file === baseFile) ?? { file: baseFile, services: {} };

/**
 * Runs a check on the base file alone and on the base file merged with each overlay. Environments and lists are merged; for
 * networks, volumes and so on, the overlay's entry replaces the base's, as in Swarm. Problems of the base file are reported once.
 */
export function inEachLayer(files: DeployFiles, look: (layer: ComposeFile) => Found[]): Found[] {
  const all = readCompose(files);
  const base = baseOf(all);
  const below = look(base);
  const known = new Set(below.map(({ at, message }) => at + message));
  const above = all
    .filter((top) => top !== base)
    .flatMap((top) => {
      const services = Object.keys({ ...base.services, ...top.services }).map((name): [string, ComposeService] => {
        return [name, layered(base.services[name] ?? {}, top.services[name] ?? {})];
      });
      const declared = shared.map((kind) => [kind, { ...base[kind], ...top[kind] }]);
      return look({ ...Object.fromEntries(declared), file: top.file, services: Object.fromEntries(services) });
    });
  return [...below, ...above.filter(({ at, message }) => !known.has(at + message))];
}

const layered = (below: ComposeService, above: ComposeService): ComposeService => ({
  ...below,
  ...above,
  environment: Object.fromEntries([...environmentOf(below), ...environmentOf(above)]),
  networks: [...new Set([below, above].flatMap(({ networks }) => names(networks)))],
  ports: [...(below.ports ?? []), ...(above.ports ?? [])],
  volumes: [...(below.volumes ?? []), ...(above.volumes ?? [])],
  secrets: [...(below.secrets ?? []), ...(above.secrets ?? [])],
  configs: [...(below.configs ?? []), ...(above.configs ?? [])],
});

/** Resolves `${NAME:-default}` and so on with an empty environment, and `$$` to `$`. */
export const interpolated = (text: string): string =>
  text.replace(/\$(?:\$|\{\w+(?::?([-?+])([^}]*))?\})/g, (all, kind?: string, word = '') => {
    if (all === '$$') return '$';
    return kind === '-' ? word : '';
  });

export function environmentOf({ environment = {} }: ComposeService): Map<string, string> {
  const pairs = Array.isArray(environment)
    ? environment.map((line): [string, string] => {
        const [name = '', ...value] = line.split('=');
        return [name, value.join('=')];
      })
    : Object.entries(environment).map(([name, value]): [string, string] => [name, String(value ?? '')]);
  return new Map(pairs);
}

/** The repository's files that a service mounts as configs, and their paths. */
export const mountedConfigs = ({ configs = {} }: ComposeFile, service: ComposeService) =>
  (service.configs ?? []).flatMap((used) => {
    const { source, target = '' } = typeof used === 'string' ? { source: used } : used;
    const file = configs[source]?.file;
    return file === undefined ? [] : [{ source: file.replace(/^\.\//, ''), target }];
  });

export const names = (list: string[] | Record<string, unknown> = []): string[] =>
  Array.isArray(list) ? list : Object.keys(list);

/**
 * Checks that all networks, volumes, secrets, configs and services that a service names are declared in its file or in the
 * base file, and that every declared one is used.
 */
export const composePointsAtWhatIsThere: Check = (files) => {
  const all = readCompose(files);
  const base = baseOf(all);
  return [...inEachLayer(files, unused), ...all.flatMap((overlay) => dangling(overlay, base, files))];
};

const unused = ({ file, services, ...declared }: ComposeFile): Found[] =>
  shared.flatMap((kind) => {
    const used = new Set(Object.values(services).flatMap((service) => usedBy(service, kind)));
    return names(declared[kind] ?? {})
      .filter((name) => !used.has(name) && name !== 'default')
      .map((name) => ({ file, at: `${kind}.${name}`, message: 'no service uses it' }));
  });

function dangling(overlay: ComposeFile, base: ComposeFile, files: DeployFiles): Found[] {
  const missing = Object.entries(overlay.configs ?? {}).flatMap(([name, config]): Found[] => {
    const source = config?.file?.replace(/^\.\//, '');
    if (source === undefined || files.paths.includes(source)) return [];
    return [{ file: overlay.file, at: `configs.${name}`, message: `there is no ${source}` }];
  });
  const declared = (kind: Shared) => new Set([...names(base[kind]), ...names(overlay[kind])]);
  const pointing = Object.entries(overlay.services).flatMap(([name, service]): Found[] => {
    const problem = (message: string): Found => ({ file: overlay.file, at: `services.${name}`, message });
    const found = shared.flatMap((kind) => {
      const known = declared(kind);
      return usedBy(service, kind)
        .filter((used) => !known.has(used))
        .map((used) => problem(`"${used}" is not declared under ${kind}`));
    });
    for (const other of names(service.depends_on)) {
      if (!(other in base.services || other in overlay.services))
        found.push(problem(`depends on "${other}", which does not exist`));
    }
    if (!(name in base.services) && service.image === undefined)
      found.push(problem(`${base.file} has no such service`));
    return found;
  });
  return [...missing, ...pointing];
}

function usedBy(service: ComposeService, kind: Shared): string[] {
  if (kind === 'networks') return names(service.networks).filter((name) => name !== 'default');
  if (kind === 'volumes') {
    return (service.volumes ?? []).flatMap((volume) => {
      if (typeof volume !== 'string') return volume.type === 'volume' && volume.source ? [volume.source] : [];
      const [source = '', ...target] = volume.split(':');
      return target.length > 0 && /^[A-Za-z0-9]/.test(source) ? [source] : [];
    });
  }
  return (service[kind] ?? []).map((used) => (typeof used === 'string' ? used : used.source));
}

/** Finds keys that `docker stack deploy` rejects or silently ignores, although `docker compose up` accepts them. */
export const composeSuitsSwarm: Check = (files) => {
  const base = baseOf(readCompose(files));
  return Object.entries(base.services).flatMap(([name, service]): Found[] => {
    const problem = (message: string): Found => ({ file: base.file, at: `services.${name}`, message });
    return [
      ...(service.image ? [] : [problem('has no image: Swarm does not build images')]),
      ...(service.container_name ? [problem('container_name: two replicas cannot share a name')] : []),
      ...(service.depends_on && !Array.isArray(service.depends_on) ? [problem('depends_on must be a list')] : []),
    ];
  });
};
