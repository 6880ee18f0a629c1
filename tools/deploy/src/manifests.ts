import { type DeployFiles, manifestFiles } from './files';
import { yamlValues } from './yaml';

/** The fields of Kubernetes objects that the checks use. The schema check has already verified their types. */
export interface Manifest {
  file: string;
  /** `Deployment auth`. */
  at: string;
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels };
  spec: Spec;
  data: Record<string, string>;
}

export type Labels = Record<string, string>;

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export type PortRef = number | string;

export interface Spec {
  replicas?: number;
  clusterIP?: string;
  selector?: Selector | Labels;
  serviceName?: string;
  template?: { metadata?: { labels?: Labels; annotations?: Labels }; spec: PodSpec };
  strategy?: { rollingUpdate?: { maxSurge?: number | string } };
  minReadySeconds?: number;
  ports?: { name?: string; port: number; targetPort?: PortRef }[];
  scaleTargetRef?: { kind: string; name: string };
  minReplicas?: number;
  maxReplicas?: number;
  podSelector?: Selector;
  ingress?: { from?: Peer[]; ports?: PolicyPort[] }[];
  egress?: { to?: Peer[]; ports?: PolicyPort[] }[];
  policyTypes?: string[];
  parentRefs?: { name: string; sectionName?: string }[];
  listeners?: { name: string }[];
  rules?: IngressRule[];
}

export interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string };
}

export interface PolicyPort {
  port?: PortRef;
  protocol?: string;
}

interface IngressRule {
  http?: { paths: { backend: { service?: { name: string; port?: { name?: string; number?: number } } } }[] };
  backendRefs?: { name: string; port: number }[];
}

export interface PodSpec {
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: SecurityContext;
  initContainers?: Container[];
  containers: Container[];
  volumes?: Volume[];
  topologySpreadConstraints?: { labelSelector?: Selector }[];
}

export interface Volume {
  name: string;
  configMap?: MapSource;
  secret?: { secretName: string };
  persistentVolumeClaim?: { claimName: string };
  projected?: { sources: { configMap?: MapSource; secret?: { name: string } }[] };
}

/** A ConfigMap as a folder: all its keys, or only the items. */
export interface MapSource {
  name: string;
  items?: { key: string; path: string }[];
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  ports?: { name?: string; containerPort: number }[];
  envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: KeyRef; secretKeyRef?: KeyRef } }[];
  volumeMounts?: { name: string; mountPath: string }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: { requests?: Labels; limits?: Labels };
  securityContext?: SecurityContext;
}

export interface KeyRef {
  name: string;
  key: string;
}

interface Probe {
  httpGet?: { path: string; port: PortRef };
  tcpSocket?: { port: PortRef };
  exec?: { command: string[] };
}

interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  runAsGroup?: number;
  fsGroup?: number;
  allowPrivilegeEscalation?: boolean;
  readOnlyRootFilesystem?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
  seccompProfile?: { type: string };
}

export interface Workload extends Manifest {
  labels: Labels;
  pod: PodSpec;
}

/** Every object in k8s/, alternatives included. */
export function readManifests(files: DeployFiles): Manifest[] {
  return manifestFiles(files).flatMap((file) =>
    yamlValues(files, file).map((value) => {
      const object = value as Manifest & { stringData?: Record<string, string> };
      return {
        ...object,
        file,
        at: `${object.kind} ${object.metadata.name}`,
        spec: object.spec ?? {},
        data: { ...object.data, ...object.stringData },
      };
    }),
  );
}

export function workloads(manifests: Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const { template } = manifest.spec;
    return template ? [{ ...manifest, labels: template.metadata?.labels ?? {}, pod: template.spec }] : [];
  });
}

export const ofKind = (manifests: Manifest[], kind: string): Manifest[] =>
  manifests.filter((manifest) => manifest.kind === kind);

/** The labels that a selector requires, in either of Kubernetes' two notations. */
export function matches(selector: Selector | Labels | undefined, labels: Labels): boolean {
  const { matchLabels, matchExpressions = [] } = asSelector(selector);
  return (
    Object.entries(matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'In') return value !== undefined && values.includes(value);
      if (operator === 'NotIn') return value === undefined || !values.includes(value);
      return (operator === 'Exists') === (value !== undefined);
    })
  );
}

function asSelector(selector: Selector | Labels | undefined): Selector {
  if (!selector) return {};
  const structured = typeof selector.matchLabels === 'object' || Array.isArray(selector.matchExpressions);
  return structured || Object.keys(selector).length === 0
    ? (selector as Selector)
    : { matchLabels: selector as Labels };
}

/** The container port that a probe, a Service or a policy refers to by name or number. */
export const portOf = (pod: PodSpec, port: PortRef | undefined): number | undefined =>
  pod.containers
    .flatMap(({ ports = [] }) => ports)
    .find(({ name, containerPort }) => port === name || port === containerPort)?.containerPort;
