import { defaultPorts, serviceNames } from '@shop/test-servers';
import {
  type ComposeFile,
  type ComposeService,
  environmentOf,
  inEachLayer,
  interpolated,
  mountedConfigs,
  names,
} from './compose';
import type { DeployFiles } from './files';
import { ofKind, readManifests, workloads } from './manifests';
import { composeGateway, kubernetesGateway, listenedPorts } from './nginx';
import type { Check, Found } from './problem';
import { prometheusTargets } from './prometheus';
import { yamlValues } from './yaml';

/** The ports of each image, by service name; add new images here. Nginx's ports come from its configuration. */
const imagePorts: Record<string, number[]> = {
  ...Object.fromEntries(serviceNames.map((service) => [service, [defaultPorts[service]]])),
  db: [3306],
  redis: [6379],
  'nginx-exporter': [9113],
  'mysqld-exporter': [9104],
  'redis-exporter': [9121],
  prometheus: [9090],
  alertmanager: [9093],
  grafana: [3000],
  mailpit: [1025, 8025],
};

/** Checks that something listens on each published, probed, scraped or called port, on a network shared with the caller. */
export const portsAreListenedOn: Check = (files) => [
  ...inEachLayer(files, (layer) => composeProblems(layer, files)),
  ...kubernetesProblems(files),
];

function composeProblems(layer: ComposeFile, files: DeployFiles): Found[] {
  const nginx = listenedPorts(composeGateway(layer, files));
  const ports = (name: string) => (name === 'nginx' ? nginx : (imagePorts[name] ?? []));
  return Object.entries(layer.services).flatMap(([name, service]) => {
    const calls = addressesIn(layer, name, service, files).map((address) => callProblem(layer, name, address, ports));
    const messages = [...publishedProblems(name, service, ports(name)), ...calls.filter((said) => said !== undefined)];
    return messages.map((message) => ({ file: layer.file, at: `services.${name}`, message }));
  });
}

/** A port published as a plain number must be the same outside. Nginx must publish the ports of all services. */
function publishedProblems(name: string, { ports = [] }: ComposeService, listened: number[]): string[] {
  const pairs = ports.map((port) => {
    if (typeof port === 'object') return { published: String(port.published ?? port.target), target: port.target };
    const [, published, target] = /^(?:\d+(?:\.\d+){3}:)?(?:(.+):)?(\d+)(?:\/\w+)?$/.exec(String(port)) ?? [];
    return { published: published ?? String(target), target: Number(target) };
  });
  const missed = name === 'nginx' ? Object.values(defaultPorts) : [];
  return [
    ...pairs
      .filter(({ target }) => !listened.includes(target))
      .map(({ target }) => `publishes port ${target}, on which it does not listen`),
    ...pairs
      .filter(({ published, target }) => !published.includes('$') && Number(published) !== target)
      .map(({ published, target }) => `publishes port ${target} as ${published}`),
    ...missed
      .filter((port) => !pairs.some(({ target }) => target === port))
      .map((port) => `does not publish port ${port}`),
  ];
}

type Address = [host: string, port: number];

const own = ['localhost', '127.0.0.1'];

/** The addresses a service calls: `host:port` in its command and environment, `X_HOST` with `X_PORT`, and in its configs. */
function addressesIn(layer: ComposeFile, name: string, service: ComposeService, files: DeployFiles): Address[] {
  const { command = [], entrypoint = [], healthcheck } = service;
  const environment = [...environmentOf(service)].map(([key, value]): [string, string] => [key, interpolated(value)]);
  const texts = [command, entrypoint, healthcheck?.test ?? [], environment.map(([, value]) => value)].flat();
  const configs = mountedConfigs(layer, service)
    .filter(({ source }) => /\.ya?ml$/.test(source))
    .map(({ source }) => JSON.stringify(yamlValues(files, source)));
  const found = [
    ...texts.flatMap((text) => [...text.matchAll(/(?<![\w.-])([a-z][a-z\d-]*|127\.0\.0\.1):(\d{2,5})\b/g)]),
    ...configs.flatMap((text) => [...text.matchAll(/:\/\/([a-z][a-z\d-]*):(\d+)/g)]),
  ];
  const scraped = name === 'prometheus' ? prometheusTargets(files).targets : [];
  return [
    ...found.map(([, host = '', port]): Address => [host, Number(port)]),
    ...hostsWithPorts(Object.fromEntries(environment)),
    ...scraped.map(({ host, port }): Address => [host, port]),
  ];
}

/** `X_HOST` and `X_PORT` pairs with a host of ours, which is a name without a dot. */
const hostsWithPorts = (settings: Record<string, string>): Address[] =>
  Object.entries(settings).flatMap(([key, host]): Address[] => {
    const port = settings[key.replace(/_HOST$/, '_PORT')];
    return key.endsWith('_HOST') && port !== undefined && /^[\w-]+$/.test(host) ? [[host, Number(port)]] : [];
  });

function callProblem(
  { services }: ComposeFile,
  caller: string,
  [called, port]: Address,
  ports: (name: string) => number[],
): string | undefined {
  const host = own.includes(called) ? caller : called;
  const target = services[host];
  if (!target) return `calls ${host}:${port}: Compose has no such service`;
  if (!ports(host).includes(port)) return `calls ${called}:${port}: ${host} does not listen there`;
  const networks = names(services[caller]?.networks);
  const reached = host === caller || names(target.networks).some((network) => networks.includes(network));
  return reached ? undefined : `calls ${host}:${port}: they share no network`;
}

function kubernetesProblems(files: DeployFiles): Found[] {
  const manifests = readManifests(files);
  const nginx = listenedPorts(kubernetesGateway(files));
  const unheard = workloads(manifests).flatMap(({ file, at, pod }) =>
    pod.containers.flatMap(({ name, ports = [] }) =>
      ports
        .filter(({ containerPort }) => !(name === 'nginx' ? nginx : (imagePorts[name] ?? [])).includes(containerPort))
        .map(({ containerPort }) => ({ file, at, message: `${name} does not listen on port ${containerPort}` })),
    ),
  );
  const services = ofKind(manifests, 'Service');
  const unknown = ofKind(manifests, 'ConfigMap').flatMap(({ file, at, data }) =>
    hostsWithPorts(data)
      .filter(([host, port]) => {
        const service = services.find(({ metadata }) => metadata.name === host);
        return !service?.spec.ports?.some((each) => each.port === port);
      })
      .map(([host, port]) => ({ file, at, message: `there is no Service "${host}" with port ${port}` })),
  );
  return [...unheard, ...unknown];
}
