import path from 'node:path';
import type { ServiceTable } from '@shop/shop/services';
import { type Address, addressesIn, addressesOf, listeningPorts } from './addresses';
import type { Check } from './check';
import {
  type ComposeFile,
  type ComposeService,
  composeLayers,
  declarable,
  environmentOf,
  interpolated,
  readCompose,
} from './compose';
import type { DeployFiles } from './files';
import { yamlValues } from './yaml';

/** Checks that whatever Compose services refer to exists, with each overlay: declarations, files, services and their ports. */
export const composeRefersToWhatExists: Check = (files, table) =>
  composeLayers(files).flatMap((layer) =>
    [
      ...declarationProblems(layer, files),
      ...Object.entries(layer.services).flatMap(([name, service]) =>
        serviceProblems(layer, name, service, files, table).map((problem) => `services.${name}: ${problem}`),
      ),
    ].map((problem) => `${layer.file}: ${problem}`),
  );

function declarationProblems(layer: ComposeFile, files: DeployFiles): string[] {
  return declarable.flatMap((kind) => {
    const all = layer[kind] ?? {};
    // An external one may be the one of another entry, unless the operator names another.
    const external = Object.values(all).flatMap((declared) => (declared?.external && declared.name) || []);
    return Object.entries(all).flatMap(([name, declared]) => {
      const file = pathOf(declared?.file);
      const isUsed =
        Object.values(layer.services).some((service) => namesOf(service, kind).includes(name)) ||
        (!declared?.external && external.map(interpolated).includes(declared?.name ?? ''));
      return [
        ...(isUsed ? [] : [`${kind}.${name}: no service uses it`]),
        ...(file === '' || path.isAbsolute(file) || files.paths.includes(file)
          ? []
          : [`${kind}.${name}: there is no file ${file}`]),
      ];
    });
  });
}

/** A path from the repository's root; empty if the operator's shell gives it. */
const pathOf = (file = ''): string => interpolated(file).replace(/^\.\//, '');

/** What a service uses of the declared networks, volumes, secrets or configs. */
const namesOf = (service: ComposeService, kind: (typeof declarable)[number]): string[] =>
  (service[kind] ?? [])
    .map((used) => (typeof used === 'string' ? used.split(':', 1)[0] : used.source))
    .filter((name) => name !== undefined)
    // A path is not declared.
    .filter((name) => !/^[./]/.test(name));

function serviceProblems(
  layer: ComposeFile,
  name: string,
  service: ComposeService,
  files: DeployFiles,
  table: ServiceTable,
): string[] {
  const { depends_on: dependsOn = [], env_file: envFile, ports = [], image } = service;
  const environmentFile = pathOf(envFile);
  const listening = (other: string) => listeningPorts(other, environmentIn(layer.services[other]), table);
  const published = ports.map((port) => (typeof port === 'string' ? Number(/\d+$/.exec(port)?.[0]) : port.target));
  return [
    ...(image ? [] : ['has no image: is its name right?']),
    ...declarable.flatMap((kind) =>
      namesOf(service, kind)
        .filter((used) => !(used in (layer[kind] ?? {})))
        .map((used) => `"${used}" is not declared under ${kind}`),
    ),
    ...dependsOn
      .filter((other) => !(other in layer.services))
      .map((other) => `depends on "${other}", which does not exist`),
    ...(environmentFile === '' || files.paths.includes(environmentFile) ? [] : [`there is no file ${environmentFile}`]),
    ...published
      .filter((port) => !listening(name).includes(port))
      .map((port) => `publishes port ${port}, but does not listen on it`),
    ...addressesUsedBy(layer, service, files).flatMap(([called, port]) => {
      const host = ['localhost', '127.0.0.1'].includes(called) ? name : called;
      const target = layer.services[host];
      if (!target) {
        // A service of another file, such as Loki, may be absent.
        const isKnown = host.includes('.') || readCompose(files).some(({ services }) => host in services);
        return isKnown ? [] : [`uses ${host}:${port}, but there is no service "${host}"`];
      }
      if (!listening(host).includes(port)) return [`uses ${host}:${port}, but ${host} does not listen on that port`];
      const isReachable = target.networks?.some((network) => service.networks?.includes(network));
      return isReachable ? [] : [`uses ${host}:${port}, but shares no network with it`];
    }),
  ];
}

const environmentIn = (service?: ComposeService): Record<string, string> =>
  Object.fromEntries(environmentOf(service).map(([name, value]) => [name, interpolated(value)]));

/** The addresses in a service's commands, its environment, and its YAML configs: those of Prometheus and Grafana. */
function addressesUsedBy(layer: ComposeFile, service: ComposeService, files: DeployFiles): Address[] {
  const { command = [], entrypoint = [], healthcheck, configs = [] } = service;
  const mounted = configs
    .map(({ source = '' }) => pathOf(layer.configs?.[source]?.file))
    .filter((file) => file.endsWith('.yml') && files.paths.includes(file))
    .flatMap((file) => yamlValues(files, file));
  return [
    ...[...command, ...entrypoint, ...(healthcheck?.test ?? [])].flatMap(addressesIn),
    ...addressesOf(environmentIn(service)),
    ...mounted.flatMap((value) => [...addressesIn(JSON.stringify(value)), ...dnsTargets(value)]),
  ];
}

/** The targets of every `dns_sd_configs`, as `{ names: [auth], port: 8080 }`. */
function dnsTargets(value: unknown): Address[] {
  if (typeof value !== 'object' || value === null) return [];
  const { names, port } = value as { names?: string[]; port?: number };
  const own = Array.isArray(names) ? names.map((name): Address => [name, Number(port)]) : [];
  return [...own, ...Object.values(value).flatMap(dnsTargets)];
}
