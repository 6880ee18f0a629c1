import assert from 'node:assert/strict';
import { type ServiceName, serviceNames, services } from '../../packages/shop/src/services';
import { type KubernetesObject, objectNamed, rendered } from './kubernetes-objects';
import { kubernetesProblems } from './kubernetes-schema';
import { type CloudManifests, secretFile } from './manifests';
import { inSteps } from './print-manifests';

/** What has to hold for the objects of every cloud. */
export const manifestChecks: Record<string, (objects: KubernetesObject[], expected: Expected) => void> = {
  'fit the schemas of Kubernetes and of the custom resources': (objects) =>
    assert.deepEqual(kubernetesProblems(objects), []),

  'have a name only once': (objects) => {
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    assert.deepEqual([...new Set(names)], names);
  },

  'run every service of the table, on its port, with the image of this version': (objects, { registry, version }) => {
    for (const name of serviceNames) {
      const { port } = services[name];
      const [container] = podOf(objects, name).containers;
      assert.equal(container.image, `${registry}/shop-${name}:${version}`);
      assert.deepEqual(container.ports, [{ name: 'http', containerPort: port }]);
      assert.equal(objectNamed(objects, 'Service', name).spec.ports[0].port, port);
    }
    const [migrate] = objectNamed(objects, 'Job', 'migrate').spec.template.spec.containers;
    assert.equal(migrate.image, `${registry}/shop-auth:${version}`);
  },

  'route every path of the table through the gateway': (objects) => {
    const routes = objectNamed(objects, 'ConfigMap', 'nginx-templates').data?.['default.conf.template'] ?? '';
    const [gateway] = objectNamed(objects, 'Deployment', 'nginx').spec.template.spec.containers;
    for (const name of serviceNames) {
      const patterns = [...routes.matchAll(/^ {2}"~(\S+)" (\w+);$/gm)].filter(([, , service]) => service === name);
      for (const path of services[name].paths) {
        assert.ok(
          patterns.some(([, pattern = '']) => new RegExp(pattern).test(`${path.replace(/\/$/, '')}/1`)),
          path,
        );
      }
      const upstream = {
        name: `${name.toUpperCase()}_UPSTREAM`,
        value: `${name}.shop.svc.cluster.local:${services[name].port}`,
      };
      assert.deepEqual(
        gateway.env.find((variable: { name: string }) => variable.name === upstream.name),
        upstream,
      );
    }
  },

  'have no MySQL, no Redis, no Secret and no password in a variable': (objects) => {
    assert.deepEqual(
      objects.filter(({ kind }) => ['Secret', 'StatefulSet'].includes(kind)),
      [],
    );
    assert.ok(!objects.some(({ metadata }) => ['db', 'redis'].includes(metadata.name)));
    assert.ok(!JSON.stringify(objects).includes('secretKeyRef'));
  },

  'give each pod all secrets that k8s/ gives it, as files': (objects, { secrets }) => {
    const originals = rendered();
    for (const [kind, name] of workloads) {
      const keys = secretsIn(objectNamed(originals, kind, name));
      const pod = objectNamed(objects, kind, name).spec.template.spec;
      const files = Object.fromEntries(pod.containers[0].env.map(({ name, value }: Variable) => [name, value]));
      for (const key of keys.filter((key) => secrets.includes(key)))
        assert.equal(files[`${key}_FILE`], secretFile(key));
      assert.equal(pod.serviceAccountName, 'shop');
      const { csi } = pod.volumes.find((volume: { name: string }) => volume.name === 'secrets');
      objectNamed(objects, 'SecretProviderClass', csi.volumeAttributes.secretProviderClass);
      assert.ok(
        pod.containers[0].volumeMounts.some(
          ({ mountPath }: { mountPath: string }) => mountPath === '/var/run/secrets/shop',
        ),
      );
    }
  },

  'mount uploads exactly where the table says': (objects) => {
    for (const name of serviceNames) {
      const { volumes, containers } = podOf(objects, name);
      const needs: readonly string[] = services[name].needs;
      const uploads = ({ name }: { name: string }) => name === 'uploads';
      assert.equal(volumes.some(uploads), needs.includes('uploads'), name);
      assert.equal(containers[0].volumeMounts.some(uploads), needs.includes('uploads'), name);
    }
  },

  'connect to MySQL and Redis with TLS, and only there': (objects, { data }) => {
    const settings = settingsOf(objects);
    assert.notEqual(settings.DB_TLS ?? 'off', 'off');
    assert.notEqual(settings.REDIS_TLS ?? 'off', 'off');
    assert.equal(settings.APP_ENV, 'production');
    const to = (port: number) => ({ to: [{ ipBlock: { cidr: data.network } }], ports: [{ protocol: 'TCP', port }] });
    const { egress } = objectNamed(objects, 'NetworkPolicy', 'services').spec;
    assert.deepEqual(egress.slice(0, 2), [to(Number(settings.DB_PORT)), to(Number(settings.REDIS_PORT))]);
    assert.deepEqual(objectNamed(objects, 'NetworkPolicy', 'migrate').spec.egress, [to(Number(settings.DB_PORT))]);
  },

  'let only the load balancer reach the gateway, and believe only its X-Forwarded-For': (objects, { loadBalancer }) => {
    const { spec } = objectNamed(objects, 'Service', 'nginx');
    assert.equal(
      spec.ports.some((port: { nodePort?: number }) => port.nodePort),
      false,
    );
    assert.notEqual(spec.type, 'NodePort');
    const [ingress] = objectNamed(objects, 'NetworkPolicy', 'nginx').spec.ingress;
    assert.deepEqual(
      ingress.from,
      loadBalancer.networks.map((cidr) => ({ ipBlock: { cidr } })),
    );
    const realIp = objectNamed(objects, 'ConfigMap', 'nginx-real-ip').data?.['real-ip.conf.template'] ?? '';
    const believed = [...realIp.matchAll(/^set_real_ip_from (.*);$/gm)].map(([, network]) => network);
    assert.deepEqual(believed, [...loadBalancer.networks, ...loadBalancer.trusted]);
  },

  'restart the services when a setting changes': (objects) => {
    const digests = serviceNames.map(
      (name) => objectNamed(objects, 'Deployment', name).spec.template.metadata.annotations['open-shop/settings'],
    );
    assert.equal(new Set(digests).size, 1);
    assert.match(digests[0], /^[0-9a-f]{16}$/);
  },

  'migrate before the services are replaced': (objects) => {
    const { '1-migrate.yaml': first = [], '2-services.yaml': second = [] } = inSteps(objects);
    assert.equal(first.length + second.length, objects.length);
    objectNamed(first, 'Job', 'migrate');
    const [container] = objectNamed(first, 'Job', 'migrate').spec.template.spec.containers;
    for (const { configMapRef } of container.envFrom) objectNamed(first, 'ConfigMap', configMapRef.name);
    for (const kind of ['ServiceAccount', 'SecretProviderClass', 'Namespace']) objectNamed(first, kind, 'shop');
    for (const name of serviceNames) objectNamed(second, 'Deployment', name);
  },

  'connect with at most as many connections as MySQL allows': (objects, { maxConnections }) => {
    const { FLEET_PROCESSES, DB_POOL_SIZE } = settingsOf(objects);
    assert.ok(Number(FLEET_PROCESSES) * Number(DB_POOL_SIZE) < maxConnections);
  },
};

type Expected = Pick<CloudManifests, 'registry' | 'version' | 'secrets' | 'data' | 'loadBalancer'> & {
  maxConnections: number;
};

interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { key: string } };
}

const workloads = [...serviceNames.map((name) => ['Deployment', name] as const), ['Job', 'migrate'] as const];

const podOf = (objects: KubernetesObject[], name: ServiceName) =>
  objectNamed(objects, 'Deployment', name).spec.template.spec;

const settingsOf = (objects: KubernetesObject[]): Record<string, string> =>
  objectNamed(objects, 'ConfigMap', 'shop-config').data ?? {};

const secretsIn = ({ spec }: KubernetesObject): string[] =>
  spec.template.spec.containers[0].env.flatMap(({ valueFrom }: Variable) => valueFrom?.secretKeyRef?.key ?? []);
