import path from 'node:path';
import { baseOf, type ComposeService, environmentOf, mountedConfigs, readCompose } from './compose';
import { givenTo, readersOf } from './environment';
import type { DeployFiles } from './files';
import { type Container, type Manifest, ofKind, readManifests, type Workload, workloads } from './manifests';
import type { Check, Found } from './problem';

/** The data folder of each image. The volume is named after the service, such as `db-data`. */
const dataFolders: Record<string, string> = {
  db: '/var/lib/mysql',
  redis: '/data',
  prometheus: '/prometheus',
  alertmanager: '/alertmanager',
  grafana: '/var/lib/grafana',
};

/** Not needed in k8s/, where the gateway has one port. */
const onlyInCompose = ['nginx/containers/service-ports.map.template'];

/** Checks that persistent data is on a volume, and that mounted files have the same paths everywhere. */
export const dataIsKept: Check = (files) => {
  const { file, services } = baseOf(readCompose(files));
  const inCompose = Object.entries(services).flatMap(([name, service]) =>
    missing(name, environmentOf(service).get('UPLOAD_PATH'), composeMounts(service)).map((message) => {
      return { file, at: `services.${name}.volumes`, message };
    }),
  );
  const manifests = readManifests(files);
  const inKubernetes = workloads(manifests).flatMap((workload) => podProblems(workload, manifests, files));
  return [...inCompose, ...inKubernetes];
};

interface Mount {
  source: string;
  target: string;
}

function missing(service: string, uploadPath: string | undefined, mounts: Mount[]): string[] {
  const wanted: [string, string | undefined][] = [];
  if (dataFolders[service]) wanted.push([`${service}-data`, dataFolders[service]]);
  if (readersOf('UPLOAD_PATH').includes(service)) wanted.push(['uploads', uploadPath]);
  return wanted
    .filter(([volume, folder]) => !mounts.some(({ source, target }) => source === volume && target === folder))
    .map(([volume, folder]) => `${volume} is not mounted at ${folder}`);
}

const composeMounts = ({ volumes = [] }: ComposeService): Mount[] =>
  volumes.map((volume) => {
    const [source = '', target = ''] = typeof volume === 'string' ? volume.split(':') : [volume.source, volume.target];
    return { source, target };
  });

function podProblems({ file, at, pod }: Workload, manifests: Manifest[], files: DeployFiles): Found[] {
  const problem = (where: string, message: string): Found => ({ file, at: `${at} ${where}`, message });
  const { runAsGroup, fsGroup } = pod.securityContext ?? {};
  const found = pod.containers.flatMap((container) => [
    ...missing(container.name, givenTo(container, manifests).UPLOAD_PATH, claimMounts(container, pod)),
    ...missingFiles(container, pod, manifests, files),
  ]);
  const writes = pod.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim);
  return [
    ...found.map((message) => problem('volumeMounts', message)),
    ...(writes && fsGroup !== runAsGroup
      ? [problem('fsGroup', `must be ${runAsGroup}: otherwise it cannot write to its claim`)]
      : []),
  ];
}

const claimMounts = ({ volumeMounts = [] }: Container, { volumes = [] }: Workload['pod']): Mount[] =>
  volumeMounts.map(({ name, mountPath }) => {
    const claim = volumes.find((volume) => volume.name === name)?.persistentVolumeClaim;
    return { source: claim?.claimName ?? '', target: mountPath };
  });

/** The files that Compose mounts into the service, but that the pod does not have at the same path. */
function missingFiles(
  { name: container, volumeMounts = [] }: Container,
  { volumes = [] }: Workload['pod'],
  manifests: Manifest[],
  files: DeployFiles,
): string[] {
  const keysOf = (map: string) => ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === map)?.data;
  const there = volumeMounts.flatMap(({ name, mountPath }) => {
    const { configMap, projected } = volumes.find((volume) => volume.name === name) ?? {};
    const maps = [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)];
    const items = maps
      .filter((map) => map !== undefined)
      .flatMap((map) => map.items ?? Object.keys(keysOf(map.name) ?? {}).map((key) => ({ key, path: key })));
    return items.map((item): Mount => ({ source: item.key, target: path.posix.join(mountPath, item.path) }));
  });
  const base = baseOf(readCompose(files));
  return mountedConfigs(base, base.services[container] ?? {})
    .filter(({ source }) => !onlyInCompose.includes(source))
    .filter(
      (wanted) =>
        !there.some(({ source, target }) => source === path.basename(wanted.source) && target === wanted.target),
    )
    .map(({ source, target }) => `${source} is not at ${target}`);
}
