import type { ServiceTable } from '@shop/shop/services';
import { addressesOf, listeningPorts } from './addresses';
import type { Check } from './check';
import {
  type Container,
  environmentIn,
  type Labels,
  type Manifest,
  matches,
  type PodSpec,
  type PortRef,
  readManifests,
  readWorkloads,
  type Selector,
  type Workload,
} from './manifests';

/** Checks that whatever the objects in k8s/ refer to exists: other objects, their keys and ports, pods, volumes. */
export const manifestsReferToWhatExists: Check = (files, table) => {
  const manifests = readManifests(files);
  const workloads = readWorkloads(files);
  return [
    ...manifests.flatMap((manifest) =>
      [
        ...referencesOf(manifest).flatMap((reference) => missing(reference, manifests)),
        ...selectorProblems(manifest, workloads),
        ...manifests
          .filter((other) => other !== manifest && other.kind === manifest.kind)
          .filter(({ metadata }) => metadata.name === manifest.metadata.name)
          .map(({ file }) => `is also defined in ${file}`),
      ].map((problem) => `${manifest.at}: ${problem}`),
    ),
    ...workloads.flatMap((workload) =>
      [
        ...podProblems(workload),
        ...workload.pod.containers.flatMap((container) =>
          portProblems(container, environmentIn(files, container), table),
        ),
      ].map((problem) => `${workload.at}: ${problem}`),
    ),
  ];
};

/** An object and, with a part, a key, port or listener of it. Without a name, there is nothing to look for. */
type Reference = [kind: string, name: string | undefined, part?: PortRef | undefined];

/** A Gateway's controller puts this label on the pods that it creates. */
const gatewayLabel = 'gateway.networking.k8s.io/gateway-name';

/** The fields that refer to an object of this kind, at whatever depth. */
const kindOfField: Record<string, string> = {
  configMap: 'ConfigMap',
  configMapRef: 'ConfigMap',
  configMapKeyRef: 'ConfigMap',
  secret: 'Secret',
  secretRef: 'Secret',
  secretKeyRef: 'Secret',
  persistentVolumeClaim: 'PersistentVolumeClaim',
  service: 'Service',
  backendRefs: 'Service',
  parentRefs: 'Gateway',
  scaleTargetRef: 'Deployment',
};

interface ReferenceField {
  name?: string;
  secretName?: string;
  claimName?: string;
  key?: string;
  items?: { key: string }[];
  port?: number | { name?: string; number?: number };
  sectionName?: string;
}

function referencesOf({ kind, metadata: { name, namespace = '' }, spec, data }: Manifest): Reference[] {
  const env = spec.template?.spec.containers.flatMap((container) => container.env ?? []) ?? [];
  const literals = Object.fromEntries(env.map((variable) => [variable.name, variable.value ?? '']));
  return [
    ['Namespace', kind === 'Namespace' ? name : namespace],
    ['Service', spec.serviceName],
    ['Gateway', spec.podSelector?.matchLabels?.[gatewayLabel]],
    ...referencesIn(spec),
    ...servicesIn(kind === 'ConfigMap' ? data : literals),
  ];
}

function referencesIn(value: unknown): Reference[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const kind = kindOfField[field];
    const fields: ReferenceField[] = kind ? [inner].flat() : [];
    const own = fields.flatMap(({ name, secretName, claimName, key, items, port, sectionName }) => {
      const part = key ?? sectionName ?? (typeof port === 'object' ? (port.name ?? port.number) : port);
      const parts = items?.map((item) => item.key) ?? [part];
      return parts.map((each): Reference => [kind ?? '', name ?? secretName ?? claimName, each]);
    });
    return [...own, ...referencesIn(inner)];
  });
}

/** The Services that settings name: `db`, or `auth.shop.svc.cluster.local`. Other names with a dot are outside the cluster. */
const servicesIn = (settings: Record<string, string>): Reference[] =>
  addressesOf(settings)
    .filter(([host]) => !['localhost', '127.0.0.1'].includes(host) && /^[^.]+$|\.svc\b/.test(host))
    .flatMap(([host, port]): Reference[] => {
      const [name = '', namespace] = host.split('.');
      return [
        ['Service', name, port],
        ['Namespace', namespace],
      ];
    });

function missing([kind, name, part]: Reference, manifests: Manifest[]): string[] {
  const object = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!object) return name === undefined ? [] : [`there is no ${kind} "${name}"`];
  const { data, spec } = object;
  const parts = [
    ...Object.keys(data),
    ...(spec.ports ?? []).flatMap((port) => [port.name, port.port]),
    ...(spec.listeners ?? []).map((listener) => listener.name),
  ];
  return part === undefined || parts.includes(part) ? [] : [`${kind} "${name}" has no "${part}"`];
}

/** A Service, an autoscaler or a disruption budget belongs to the Deployment or StatefulSet of its name. */
function selectorProblems({ kind, metadata: { name }, spec }: Manifest, workloads: Workload[]): string[] {
  const selected = (selector?: Selector) => workloads.filter(({ labels }) => matches(selector, labels));
  if (kind === 'HorizontalPodAutoscaler') {
    return spec.scaleTargetRef?.name === name ? [] : [`scales ${spec.scaleTargetRef?.name}, not ${name}`];
  }
  if (kind === 'Service' || kind === 'PodDisruptionBudget') {
    const pods = selected(kind === 'Service' ? { matchLabels: spec.selector as Labels } : (spec.selector as Selector));
    const names = pods.map((pod) => pod.metadata.name).join(', ') || 'nothing';
    const targets = (spec.ports ?? []).map(({ port, targetPort = port }) => targetPort);
    return [
      ...(names === name ? [] : [`selects the pods of ${names}, not of ${name}`]),
      ...targets
        .filter((port) => !pods.every(({ pod }) => hasPort(pod, port)))
        .map((port) => `the pods have no port ${port}`),
    ];
  }
  if (kind !== 'NetworkPolicy' || spec.podSelector?.matchLabels?.[gatewayLabel]) return [];
  const rules = [...(spec.ingress ?? []), ...(spec.egress ?? [])];
  const peers = rules.flatMap(({ from = [], to = [] }) => [...from, ...to]);
  // Pods in another namespace are not in these files.
  const own = peers.filter(({ podSelector, namespaceSelector }) => podSelector && !namespaceSelector);
  return [spec, ...own]
    .filter(({ podSelector }) => selected(podSelector).length === 0)
    .map(({ podSelector }) => `no pod matches ${JSON.stringify(podSelector)}`);
}

const hasPort = ({ containers }: Pick<PodSpec, 'containers'>, wanted: PortRef): boolean =>
  containers.some(({ ports = [] }) =>
    ports.some(({ name, containerPort }) => wanted === name || wanted === containerPort),
  );

function podProblems({ labels, pod, spec }: Workload): string[] {
  const { topologySpreadConstraints = [], volumes = [], initContainers = [], containers } = pod;
  const selectors = [spec.selector as Selector, ...topologySpreadConstraints.map(({ labelSelector }) => labelSelector)];
  const mounts = [...initContainers, ...containers].flatMap(({ volumeMounts = [] }) => volumeMounts);
  const scraped = spec.template?.metadata.annotations?.['prometheus.io/port'];
  return [
    ...selectors.filter((selector) => !matches(selector, labels)).map(() => 'a selector does not match its own pods'),
    ...mounts
      .filter(({ name }) => !volumes.some((volume) => volume.name === name))
      .map(({ name }) => `there is no volume "${name}"`),
    ...volumes
      .filter(({ name }) => !mounts.some((mount) => mount.name === name))
      .map(({ name }) => `the volume "${name}" is not mounted`),
    ...(scraped === undefined || hasPort(pod, Number(scraped))
      ? []
      : [`prometheus.io/port: there is no port ${scraped}`]),
  ];
}

function portProblems(container: Container, environment: Record<string, string>, table: ServiceTable): string[] {
  const { name, ports = [], startupProbe, livenessProbe, readinessProbe } = container;
  const listening = listeningPorts(name, environment, table);
  const probed = [startupProbe, livenessProbe, readinessProbe].flatMap(
    (probe) => (probe?.httpGet ?? probe?.tcpSocket)?.port ?? [],
  );
  return [
    ...probed
      .filter((port) => !hasPort({ containers: [container] }, port))
      .map((port) => `a probe uses port ${port}, which ${name} does not have`),
    ...ports
      .filter(({ containerPort }) => !listening.includes(containerPort))
      .map(({ containerPort }) => `${name} does not listen on port ${containerPort}`),
  ];
}
