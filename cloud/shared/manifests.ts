import { createHash } from 'node:crypto';
import { serviceNames, services } from '../../packages/shop/src/services';
import { type KubernetesObject, type Labels, objectNamed, rendered } from './kubernetes-objects';

/** What differs between the clouds. */
export interface CloudManifests {
  /** Where the images are: `europe-docker.pkg.dev/PROJECT/shop`. */
  registry: string;
  version: string;
  /** Overrides entries of the ConfigMap `shop-config`. `EDGE_NETWORKS`: the proxies in front of this cloud, for several-clouds.md. */
  settings: Record<string, string>;
  /** The secrets that are mounted as files. Others that k8s/ refers to are not set. */
  secrets: readonly string[];
  /** The CSI driver that mounts them, and its object that lists them. */
  secretsDriver: string;
  secretProvider: KubernetesObject;
  serviceAccountAnnotations: Labels;
  /** The volume of uploads, for the services that need it. */
  uploads: Record<string, unknown>;
  /** The managed MySQL and Redis. */
  data: { network: string; mysqlPort: number; redisPort: number };
  /** The networks that requests to the gateway come from: its load balancer and its probes. */
  loadBalancer: { networks: readonly string[]; trusted: readonly string[] };
  gateway: { type: 'ClusterIP' | 'LoadBalancer'; annotations: Labels };
  /** The objects that only this cloud has. */
  extra: readonly KubernetesObject[];
}

const SECRETS = '/var/run/secrets/shop';
const SERVICE_ACCOUNT = 'shop';
/** The CronJobs, which read the uploads. */
const BACKUPS = ['backup', 'restore-drill'];

/** The path of a secret's file in the pods. */
export const secretFile = (name: string): string => `${SECRETS}/${name}`;

/** The objects of k8s/ with the changes for a cloud. */
export function manifests(cloud: CloudManifests): KubernetesObject[] {
  const objects = rendered();
  const config = objectNamed(objects, 'ConfigMap', 'shop-config');
  const { EDGE_NETWORKS: _, ...settings } = cloud.settings;
  config.data = withOneUser({ ...config.data, ...settings, APP_ENV: 'production' });
  objectNamed(objects, 'ConfigMap', 'nginx-real-ip').data = { 'real-ip.conf.template': realIp(cloud) };
  for (const name of serviceNames) {
    const deployment = objectNamed(objects, 'Deployment', name);
    changePod(deployment, cloud);
    // Pods read settings only when they start, so a new setting has to replace them.
    deployment.spec.template.metadata.annotations['open-shop/settings'] = digest(config.data);
  }
  changePod(objectNamed(objects, 'Job', 'migrate'), cloud);
  for (const name of BACKUPS) changePod(objectNamed(objects, 'CronJob', name), cloud);
  changeGateway(objectNamed(objects, 'Service', 'nginx'), cloud);
  changePolicies(objects, cloud);
  return [...objects, serviceAccount(cloud), cloud.secretProvider, ...cloud.extra];
}

/** All services use the owner of the database (docs/decisions/0030-database-users.md). */
const withOneUser = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, (name.endsWith('_DB_USER') ? data.DB_USER : value) ?? '']),
  );

function changePod(workload: KubernetesObject, cloud: CloudManifests): void {
  const { name } = workload.metadata;
  const pod = (workload.spec.template ?? workload.spec.jobTemplate.spec.template).spec;
  const needs: readonly string[] = services[name as keyof typeof services]?.needs ?? [];
  pod.serviceAccountName = SERVICE_ACCOUNT;
  const [container] = pod.containers;
  container.image = container.image.replace(/^(.*):latest$/, `${cloud.registry}/$1:${cloud.version}`);
  container.env = container.env.flatMap(secretAsFile(cloud.secrets));
  container.volumeMounts = [...(container.volumeMounts ?? []), { name: 'secrets', mountPath: SECRETS, readOnly: true }];
  const volumes = (pod.volumes ?? []).filter(({ name }: { name: string }) => name !== 'uploads');
  const uploads = needs.includes('uploads') || BACKUPS.includes(name) ? [{ name: 'uploads', ...cloud.uploads }] : [];
  pod.volumes = [...volumes, ...uploads, { name: 'secrets', csi: secretsVolume(cloud) }];
}

const digest = (data: unknown): string => createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 16);

const secretsVolume = ({ secretsDriver, secretProvider }: CloudManifests) => ({
  driver: secretsDriver,
  readOnly: true,
  volumeAttributes: { secretProviderClass: secretProvider.metadata.name },
});

interface Variable {
  name: string;
  valueFrom?: { secretKeyRef?: { key: string } };
}

/** Every setting can be read from a file, so no secret becomes a Kubernetes object or an environment variable. */
const secretAsFile =
  (secrets: readonly string[]) =>
  (variable: Variable): unknown[] => {
    const { key } = variable.valueFrom?.secretKeyRef ?? {};
    if (!key) return [variable];
    // The only database user has the only password.
    if (variable.name === 'DB_PASS') return [{ name: 'DB_PASS_FILE', value: secretFile('DB_PASS') }];
    return secrets.includes(key) ? [{ name: `${variable.name}_FILE`, value: secretFile(key) }] : [];
  };

const realIp = ({ loadBalancer, settings }: CloudManifests): string =>
  [
    ...[...loadBalancer.networks, ...loadBalancer.trusted, ...edgeNetworks(settings)].map(
      (network) => `set_real_ip_from ${network};`,
    ),
    'real_ip_header X-Forwarded-For;',
    'real_ip_recursive on;\n',
  ].join('\n');

const edgeNetworks = ({ EDGE_NETWORKS = '' }: Record<string, string>): string[] =>
  EDGE_NETWORKS.split(',').filter((network) => network !== '');

/** Only the load balancer reaches the gateway, so no node needs a port. */
function changeGateway(service: KubernetesObject, { gateway }: CloudManifests): void {
  service.metadata.annotations = gateway.annotations;
  service.spec.type = gateway.type;
  if (gateway.type === 'ClusterIP') delete service.spec.externalTrafficPolicy;
  for (const port of service.spec.ports) delete port.nodePort;
}

interface Egress {
  to?: { podSelector?: { matchLabels?: Labels } }[];
}

/** MySQL and Redis are outside the cluster, and only the load balancer may reach the gateway. */
function changePolicies(objects: readonly KubernetesObject[], { data, loadBalancer }: CloudManifests): void {
  const rule = (port: number) => ({ to: [{ ipBlock: { cidr: data.network } }], ports: [{ protocol: 'TCP', port }] });
  const replacement: Record<string, unknown> = { db: rule(data.mysqlPort), redis: rule(data.redisPort) };
  for (const name of ['services', 'migrate', 'backup']) {
    const { spec } = objectNamed(objects, 'NetworkPolicy', name);
    spec.egress = spec.egress.map(
      (egress: Egress) =>
        replacement[egress.to?.[0]?.podSelector?.matchLabels?.['app.kubernetes.io/name'] ?? ''] ?? egress,
    );
  }
  const [gateway] = objectNamed(objects, 'NetworkPolicy', 'nginx').spec.ingress;
  gateway.from = loadBalancer.networks.map((cidr) => ({ ipBlock: { cidr } }));
}

const serviceAccount = ({ serviceAccountAnnotations }: CloudManifests): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: SERVICE_ACCOUNT, namespace: 'shop', annotations: serviceAccountAnnotations },
});
