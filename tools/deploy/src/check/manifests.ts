import { type DeployFiles, manifestFiles } from './files';
import { yamlValues } from './yaml';

/** The fields of Kubernetes objects that the checks use. The schema check has already verified their types. */
export interface Manifest {
  file: string;
  /** `k8s/auth.yaml: Deployment auth`. */
  at: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: {
    template?: PodTemplate;
    /** Of a CronJob. */
    jobTemplate?: { spec: { template: PodTemplate } };
    /** A Service has only labels here. */
    selector?: Selector | Labels;
    serviceName?: string;
    ports?: { name?: string; port: number; targetPort?: PortRef }[];
    listeners?: { name: string }[];
    strategy?: { rollingUpdate?: { maxSurge?: number } };
    minReadySeconds?: number;
    scaleTargetRef?: { name: string };
    maxReplicas?: number;
    podSelector?: Selector;
    policyTypes?: string[];
    ingress?: PolicyRule[];
    egress?: PolicyRule[];
  };
  data: Record<string, string>;
}

interface PodTemplate {
  metadata: { labels: Labels; annotations?: Labels };
  spec: PodSpec;
}

export type Labels = Record<string, string>;

/** A port by its name or number. */
export type PortRef = number | string;

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

interface PolicyPeer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: unknown;
}

interface PolicyRule {
  from?: PolicyPeer[];
  to?: PolicyPeer[];
  ports?: { port?: number; protocol?: string }[];
}

export interface PodSpec {
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext?: SecurityContext;
  topologySpreadConstraints?: { labelSelector?: Selector }[];
  initContainers?: Container[];
  containers: Container[];
  volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[];
}

interface SecurityContext {
  runAsNonRoot?: boolean;
  runAsUser?: number;
  runAsGroup?: number;
  fsGroup?: number;
  seccompProfile?: { type: string };
  readOnlyRootFilesystem?: boolean;
  allowPrivilegeEscalation?: boolean;
  capabilities?: { drop?: string[]; add?: string[] };
}

interface Probe {
  httpGet?: { path: string; port: PortRef };
  tcpSocket?: { port: PortRef };
}

export interface Container {
  name: string;
  image: string;
  args?: string[];
  ports?: { name?: string; containerPort: number }[];
  envFrom?: { configMapRef?: { name: string } }[];
  env?: { name: string; value?: string; valueFrom?: { configMapKeyRef?: KeyRef; secretKeyRef?: KeyRef } }[];
  volumeMounts?: { name: string; mountPath: string }[];
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  resources?: { requests?: Labels; limits?: Labels };
  securityContext?: SecurityContext;
}

interface KeyRef {
  name: string;
  key: string;
}

export interface Workload extends Manifest {
  labels: Labels;
  pod: PodSpec;
}

/** Every object in k8s/, alternatives included. */
export const readManifests = (files: DeployFiles): Manifest[] =>
  manifestFiles(files).flatMap((file) =>
    yamlValues(files, file).map((value) => {
      const object = value as Manifest & { stringData?: Record<string, string> };
      const at = `${file}: ${object.kind} ${object.metadata.name}`;
      return { ...object, file, at, spec: object.spec ?? {}, data: { ...object.data, ...object.stringData } };
    }),
  );

export const readWorkloads = (files: DeployFiles): Workload[] =>
  readManifests(files).flatMap((manifest) => {
    const { template = manifest.spec.jobTemplate?.spec.template } = manifest.spec;
    return template ? [{ ...manifest, labels: template.metadata.labels, pod: template.spec }] : [];
  });

export const ofKind = (files: DeployFiles, kind: string): Manifest[] =>
  readManifests(files).filter((manifest) => manifest.kind === kind);

/** The data of the ConfigMap or Secret of that name. */
export const dataOf = (files: DeployFiles, name = ''): Record<string, string> =>
  [...ofKind(files, 'ConfigMap'), ...ofKind(files, 'Secret')].find(({ metadata }) => metadata.name === name)?.data ??
  {};

/** The variables that a container gets. */
export function environmentIn(files: DeployFiles, { env = [], envFrom = [] }: Container): Record<string, string> {
  const own = env.map(({ name, value = '', valueFrom }) => {
    const from = valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef;
    return [name, from ? dataOf(files, from.name)[from.key] : value];
  });
  return Object.assign(
    {},
    ...envFrom.map(({ configMapRef }) => dataOf(files, configMapRef?.name)),
    Object.fromEntries(own),
  );
}

export function matches({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`the operator ${operator} is not implemented here`);
      return values.includes(labels[key] ?? '');
    })
  );
}
