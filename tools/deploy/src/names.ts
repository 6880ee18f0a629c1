import { parseEnv } from 'node:util';
import { defaultPorts, portVariable, type ServiceName, serviceNames } from '@shop/test-servers';
import { baseOf, environmentOf, interpolated, readCompose } from './compose';
import type { DeployFiles } from './files';
import { matches, ofKind, readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';
import { prometheusTargets } from './prometheus';

/** A place that refers to a service. `said` must equal `wanted`. */
interface Saying {
  file: string;
  at: string;
  said: string | number | undefined;
  wanted: string | number;
}

/** Checks that services, ports and images have the same names in Compose, Swarm, Kubernetes, Nginx, Prometheus and env files. */
export const namesAgreeEverywhere: Check = (files) => {
  const sayings = [
    ...serviceNames.flatMap((service) => [...kubernetesOn(service, files), ...settingsOn(service, files)]),
    ...upstreams(files),
    ...portMap(files),
    ...images(files),
    ...databaseFlags(files),
    ...namesakes(files),
    ...dockerfileCopies(files),
  ];
  const wrong = sayings
    .filter(({ said, wanted }) => String(said) !== String(wanted))
    .map(({ file, at, said, wanted }): Found => {
      return { file, at, message: said === undefined ? `is missing (${wanted})` : `is ${said}, elsewhere ${wanted}` };
    });
  return [...wrong, ...unscraped(files)];
};

function kubernetesOn(service: ServiceName, files: DeployFiles): Saying[] {
  const manifests = readManifests(files);
  const named = (kind: string) => ofKind(manifests, kind).find(({ metadata }) => metadata.name === service);
  const [pods] = workloads(manifests).filter(({ metadata }) => metadata.name === service);
  const port = defaultPorts[service];
  const file = `k8s/${service}.yaml`;
  return [
    { file, at: `Service ${service} port`, said: named('Service')?.spec.ports?.[0]?.port, wanted: port },
    {
      file,
      at: `Deployment ${service} annotation prometheus.io/port`,
      said: pods?.spec.template?.metadata?.annotations?.['prometheus.io/port'],
      wanted: port,
    },
    { file: 'k8s/hpa.yaml', at: service, said: named('HorizontalPodAutoscaler')?.metadata.name, wanted: service },
    { file: 'k8s/pdb.yaml', at: service, said: named('PodDisruptionBudget')?.metadata.name, wanted: service },
  ];
}

/** `AUTH_PORT` and so on in the env files and the ConfigMap. */
function settingsOn(service: ServiceName, files: DeployFiles): Saying[] {
  const variable = portVariable(service);
  const wanted = defaultPorts[service];
  const envFiles = files.paths
    .filter((file) => file.startsWith('.env.'))
    .map((file) => ({ file, at: variable, said: parseEnv(files.read(file))[variable], wanted }));
  const configs = ofKind(readManifests(files), 'ConfigMap')
    .filter(({ data }) => variable in data)
    .map(({ file, at, data }) => ({ file, at: `${at} ${variable}`, said: data[variable], wanted }));
  return [...envFiles, ...configs];
}

/** Nginx's upstream addresses. */
function upstreams(files: DeployFiles): Saying[] {
  const compose = baseOf(readCompose(files));
  const inCompose = environmentOf(compose.services.nginx ?? {});
  const manifests = readManifests(files);
  const [gateway] = workloads(manifests).filter(({ metadata }) => metadata.name === 'nginx');
  const inKubernetes = gateway?.pod.containers.flatMap(({ env = [] }) => env) ?? [];
  const namespace = gateway?.metadata.namespace;
  return serviceNames.flatMap((service) => {
    const variable = `${service.toUpperCase()}_UPSTREAM`;
    const port = defaultPorts[service];
    return [
      {
        file: compose.file,
        at: `services.nginx ${variable}`,
        said: inCompose.get(variable),
        wanted: `${service}:${port}`,
      },
      {
        file: gateway?.file ?? 'k8s',
        at: `Deployment nginx ${variable}`,
        said: inKubernetes.find(({ name }) => name === variable)?.value,
        wanted: `${service}.${namespace}.svc.cluster.local:${port}`,
      },
    ];
  });
}

function portMap(files: DeployFiles): Saying[] {
  const file = 'nginx/containers/service-ports.map.template';
  const lines = new Map([...files.read(file).matchAll(/^(\d+) (\w+);$/gm)].map(([, port, name]) => [name, port]));
  return serviceNames.map((service) => ({
    file,
    at: service,
    said: lines.get(service),
    wanted: defaultPorts[service],
  }));
}

/** Each container in k8s/ must use the same image as the Compose service of that name. */
function images(files: DeployFiles): Saying[] {
  const all = readCompose(files);
  const base = baseOf(all);
  const imageIn = (image: string | undefined) => (image === undefined ? undefined : interpolated(image));
  const inKubernetes = workloads(readManifests(files)).flatMap(({ file, at, pod }) =>
    pod.containers.map(({ name, image }) => ({
      file,
      at: `${at} image`,
      said: image,
      wanted: imageIn(base.services[name]?.image) ?? `no service "${name}" in ${base.file}`,
    })),
  );
  const inOverlays = all.flatMap(({ file, services }) =>
    Object.entries(services).flatMap(([name, { image }]) => {
      const wanted = imageIn(base.services[name]?.image);
      return image === undefined || wanted === undefined
        ? []
        : [{ file, at: `services.${name}.image`, said: imageIn(image), wanted }];
    }),
  );
  const built = serviceNames.map((service) => ({
    file: base.file,
    at: `services.${service}.image`,
    said: /(?:^|\/)([^/:]+)(?::[^/]*)?$/.exec(imageIn(base.services[service]?.image) ?? '')?.[1],
    wanted: `shop-${service}`,
  }));
  return [...inKubernetes, ...inOverlays, ...built];
}

/** MySQL must have the same flags everywhere, except for the connections, which depend on the number of processes. */
function databaseFlags(files: DeployFiles): Saying[] {
  const base = baseOf(readCompose(files));
  const [server] = workloads(readManifests(files)).filter(({ metadata }) => metadata.name === 'db');
  const flags = (list: readonly string[]) => list.filter((flag) => !flag.startsWith('--max-connections=')).join(' ');
  const wanted = flags([base.services.db?.command ?? []].flat());
  const said = flags(server?.pod.containers[0]?.args ?? []);
  return [{ file: server?.file ?? 'k8s', at: 'StatefulSet db args', said, wanted }];
}

/** Services, disruption budgets and autoscalers must have the name of their target. */
function namesakes(files: DeployFiles): Saying[] {
  const manifests = readManifests(files);
  const pods = workloads(manifests);
  return manifests.flatMap(({ file, at, kind, metadata, spec }) => {
    const selects = kind === 'Service' || kind === 'PodDisruptionBudget';
    const selected = selects ? pods.filter(({ labels }) => matches(spec.selector, labels)) : [];
    const targets = [...selected.map((workload) => workload.metadata.name), spec.scaleTargetRef?.name];
    return targets
      .filter((target) => target !== undefined)
      .map((target) => ({ file, at: `${at} target`, said: target, wanted: metadata.name }));
  });
}

/** The image must copy each workspace's package.json to its own path for `npm ci`. */
function dockerfileCopies(files: DeployFiles): Saying[] {
  const file = 'Dockerfile';
  const copies = [...files.read(file).matchAll(/^COPY (\S+)\/package\.json (\S+)\/$/gm)];
  return serviceNames.map((service) => {
    const folder = `services/${service}`;
    return { file, at: `COPY ${folder}`, said: copies.find(([, from]) => from === folder)?.[2], wanted: folder };
  });
}

/** Prometheus must scrape every service on its port. */
function unscraped(files: DeployFiles): Found[] {
  const { file, targets } = prometheusTargets(files);
  return serviceNames
    .filter((service) => !targets.some(({ host, port }) => host === service && port === defaultPorts[service]))
    .map((service) => ({ file, at: service, message: `is not scraped on port ${defaultPorts[service]}` }));
}
