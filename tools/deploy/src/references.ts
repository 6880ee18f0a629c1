import {
  type Container,
  type Manifest,
  matches,
  ofKind,
  readManifests,
  type Spec,
  type Volume,
  type Workload,
  workloads,
} from './manifests';
import type { Check, Found } from './problem';

/** Checks that every object that another one in k8s/ refers to exists: ConfigMaps, Secrets, keys, claims, pods, ports, Services. */
export const manifestsPointAtWhatIsThere: Check = (files) => {
  const manifests = readManifests(files);
  const look: Looked = { manifests, pods: workloads(manifests) };
  return [
    ...namesAndNamespaces(manifests),
    ...look.pods.flatMap((workload) => workloadReferences(workload, look)),
    ...ofKind(manifests, 'Service').flatMap((service) => serviceReferences(service, look)),
    ...manifests.flatMap((manifest) => targetReferences(manifest, look)),
    ...manifests.flatMap((manifest) => backendReferences(manifest, look)),
  ];
};

interface Looked {
  manifests: Manifest[];
  pods: Workload[];
}

const find = ({ manifests }: Looked, kind: string, name: string): Manifest | undefined =>
  ofKind(manifests, kind).find(({ metadata }) => metadata.name === name);

function namesAndNamespaces(manifests: Manifest[]): Found[] {
  const namespaces = new Set(ofKind(manifests, 'Namespace').map(({ metadata }) => metadata.name));
  const seen = new Set<string>();
  return manifests.flatMap(({ file, at, kind, metadata: { namespace } }): Found[] => {
    if (seen.has(at)) return [{ file, at, message: 'is defined twice' }];
    seen.add(at);
    if (kind === 'Namespace' || (namespace !== undefined && namespaces.has(namespace))) return [];
    const message = namespace === undefined ? 'has no namespace' : `there is no namespace "${namespace}"`;
    return [{ file, at, message }];
  });
}

function workloadReferences(workload: Workload, look: Looked): Found[] {
  const { file, at, spec, labels, pod } = workload;
  const problem = (where: string, message: string): Found => ({ file, at: `${at} ${where}`, message });
  const found: Found[] = [];
  if (!matches(spec.selector, labels))
    found.push(problem('spec.selector', 'does not match the labels of its own pods'));
  if (spec.serviceName !== undefined && !find(look, 'Service', spec.serviceName)) {
    found.push(problem('spec.serviceName', `there is no Service "${spec.serviceName}"`));
  }
  for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
    if (!matches(labelSelector, labels))
      found.push(problem('topologySpreadConstraints', 'does not match its own pods'));
  }
  for (const volume of pod.volumes ?? []) {
    found.push(...volumeReferences(volume, look).map((message) => problem(`volume ${volume.name}`, message)));
  }
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const said = containerReferences(container, workload, look);
    found.push(...said.map(([where, message]) => problem(`container ${container.name} ${where}`, message)));
  }
  return found;
}

function volumeReferences({ configMap, secret, persistentVolumeClaim, projected }: Volume, look: Looked): string[] {
  const sources = projected?.sources ?? [];
  const maps = [configMap, ...sources.map((source) => source.configMap)].filter((map) => map !== undefined);
  const wanted: [string, string | undefined][] = [
    ...maps.map(({ name }): [string, string] => ['ConfigMap', name]),
    ...sources.map((source): [string, string | undefined] => ['Secret', source.secret?.name]),
    ['Secret', secret?.secretName],
    ['PersistentVolumeClaim', persistentVolumeClaim?.claimName],
  ];
  const items = maps.flatMap(({ name, items: list = [] }) => list.map(({ key }) => ({ name, key })));
  return [
    ...wanted.flatMap(([kind, name]) =>
      name === undefined || find(look, kind, name) ? [] : [`there is no ${kind} "${name}"`],
    ),
    ...items
      .filter(({ name, key }) => !(key in (find(look, 'ConfigMap', name)?.data ?? {})))
      .map(({ name, key }) => `ConfigMap "${name}" has no key "${key}"`),
  ];
}

function containerReferences(container: Container, { pod }: Workload, look: Looked): [string, string][] {
  const found: [string, string][] = [];
  const source = (kind: string, where: string, ref: { name: string; key?: string } | undefined) => {
    if (!ref) return;
    const object = find(look, kind, ref.name);
    if (!object) found.push([where, `there is no ${kind} "${ref.name}"`]);
    else if (ref.key !== undefined && !(ref.key in object.data)) {
      found.push([where, `${kind} "${ref.name}" has no key "${ref.key}"`]);
    }
  };
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    source('ConfigMap', 'envFrom', configMapRef);
    source('Secret', 'envFrom', secretRef);
  }
  for (const { name, valueFrom } of container.env ?? []) {
    source('ConfigMap', `env ${name}`, valueFrom?.configMapKeyRef);
    source('Secret', `env ${name}`, valueFrom?.secretKeyRef);
  }
  for (const { name } of container.volumeMounts ?? []) {
    if (!pod.volumes?.some((volume) => volume.name === name))
      found.push(['volumeMounts', `there is no volume "${name}"`]);
  }
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const port = (container[probe]?.httpGet ?? container[probe]?.tcpSocket)?.port;
    const known = container.ports?.some(({ name, containerPort }) => port === name || port === containerPort);
    if (port !== undefined && !known) found.push([probe, `the container has no port ${port}`]);
  }
  return found;
}

function serviceReferences({ file, at, spec }: Manifest, { pods }: Looked): Found[] {
  const meant = pods.filter(({ labels }) => matches(spec.selector, labels));
  if (meant.length === 0) return [{ file, at: `${at} spec.selector`, message: 'selects no pods' }];
  return meant.flatMap(({ pod, at: target }) =>
    (spec.ports ?? [])
      .filter(({ port, targetPort = port }) => !hasPort(pod.containers, targetPort))
      .map(({ port, targetPort = port }) => ({
        file,
        at: `${at} spec.ports`,
        message: `${target} has no port ${targetPort}`,
      })),
  );
}

const hasPort = (containers: Container[], port: number | string): boolean =>
  containers.some(({ ports = [] }) => ports.some((known) => port === known.name || port === known.containerPort));

/** The targets of autoscalers, disruption budgets and network policies. */
function targetReferences({ file, at, kind, spec }: Manifest, look: Looked): Found[] {
  const anyPod = (selector: Spec['selector']) => look.pods.some(({ labels }) => matches(selector, labels));
  if (kind === 'HorizontalPodAutoscaler') {
    const { kind: wanted = '', name = '' } = spec.scaleTargetRef ?? {};
    if (find(look, wanted, name)) return [];
    return [{ file, at: `${at} spec.scaleTargetRef`, message: `there is no ${wanted} "${name}"` }];
  }
  if (kind === 'PodDisruptionBudget' && !anyPod(spec.selector)) {
    return [{ file, at: `${at} spec.selector`, message: 'selects no pods' }];
  }
  if (kind !== 'NetworkPolicy') return [];
  const found: Found[] = [];
  // The Gateway's controller creates these pods with this label.
  const gateway = spec.podSelector?.matchLabels?.['gateway.networking.k8s.io/gateway-name'];
  if (gateway !== undefined) {
    return find(look, 'Gateway', gateway) ? [] : [{ file, at, message: `there is no Gateway "${gateway}"` }];
  }
  if (!anyPod(spec.podSelector)) found.push({ file, at: `${at} spec.podSelector`, message: 'selects no pods' });
  const incoming = (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  const outgoing = (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  for (const { podSelector, namespaceSelector } of [...incoming, ...outgoing].flatMap(({ peers = [] }) => peers)) {
    // Pods in another namespace are unknown here.
    if (!namespaceSelector && !anyPod(podSelector)) found.push({ file, at, message: 'a peer selects no pods' });
  }
  const opened = incoming.flatMap(({ ports = [] }) => ports);
  const own = look.pods.filter(({ labels }) => matches(spec.podSelector, labels));
  for (const { port } of opened) {
    if (port !== undefined && !own.some(({ pod }) => hasPort(pod.containers, port))) {
      found.push({ file, at: `${at} spec.ingress`, message: `none of its pods has port ${port}` });
    }
  }
  return found;
}

/** The backends of an Ingress or an HTTPRoute. */
function backendReferences({ file, at, spec }: Manifest, look: Looked): Found[] {
  const backends = (spec.rules ?? []).flatMap(({ http, backendRefs = [] }) => [
    ...(http?.paths ?? []).flatMap(({ backend: { service } }) =>
      service ? [{ name: service.name, port: service.port?.name ?? service.port?.number }] : [],
    ),
    ...backendRefs,
  ]);
  const found = backends.flatMap(({ name, port }): Found[] => {
    const service = find(look, 'Service', name);
    if (!service) return [{ file, at, message: `there is no Service "${name}"` }];
    const known = service.spec.ports?.some((each) => port === each.name || port === each.port);
    return known ? [] : [{ file, at, message: `Service "${name}" has no port ${port}` }];
  });
  for (const { name, sectionName } of spec.parentRefs ?? []) {
    const gateway = find(look, 'Gateway', name);
    if (!gateway) found.push({ file, at, message: `there is no Gateway "${name}"` });
    else if (sectionName !== undefined && !gateway.spec.listeners?.some((listener) => listener.name === sectionName)) {
      found.push({ file, at, message: `Gateway "${name}" has no listener "${sectionName}"` });
    }
  }
  return found;
}
