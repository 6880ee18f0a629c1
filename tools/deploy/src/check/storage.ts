import type { ServiceTable } from '@shop/shop/services';
import type { Check } from './check';
import { composeLayers, environmentOf } from './compose';
import { environmentIn, readWorkloads } from './manifests';

/** The data folder of each image. Its volume or claim has the service's name: `db-data`. */
const dataFolders: Record<string, string> = {
  db: '/var/lib/mysql',
  redis: '/data',
  prometheus: '/prometheus',
  alertmanager: '/alertmanager',
  grafana: '/var/lib/grafana',
  loki: '/loki',
};

/** Checks that data outlives its container: each data folder is on its volume, and UPLOAD_PATH on the one of all services. */
export const dataIsOnVolumes: Check = (files, table) => [
  ...composeLayers(files).flatMap(({ file, services }) =>
    Object.entries(services).flatMap(([name, service]) => {
      const { UPLOAD_PATH: uploadPath } = Object.fromEntries(environmentOf(service));
      const mounts = (service.volumes ?? []).filter((volume) => typeof volume !== 'string');
      return missing(name, uploadPath, table, mounts).map((problem) => `${file}: services.${name}: ${problem}`);
    }),
  ),
  ...readWorkloads(files).flatMap(({ at, pod: { containers, volumes = [], securityContext: security } }) => {
    const claimOf = (name: string) => volumes.find((volume) => volume.name === name)?.persistentVolumeClaim?.claimName;
    const problems = containers.flatMap((container) => {
      const mounts = container.volumeMounts?.map(({ name, mountPath }) => ({
        source: claimOf(name),
        target: mountPath,
      }));
      return missing(container.name, environmentIn(files, container).UPLOAD_PATH, table, mounts ?? []);
    });
    if (volumes.some(({ name }) => claimOf(name)) && security?.fsGroup !== security?.runAsGroup)
      problems.push(`fsGroup must be ${security?.runAsGroup}: otherwise the pod cannot write to its claim`);
    return problems.map((problem) => `${at}: ${problem}`);
  }),
];

function missing(
  service: string,
  uploadPath: string | undefined,
  table: ServiceTable,
  mounts: { source?: string | undefined; target: string }[],
): string[] {
  const needed = [
    ...(dataFolders[service] ? [[`${service}-data`, dataFolders[service]]] : []),
    ...(table[service]?.needs.includes('uploads') ? [['uploads', uploadPath]] : []),
  ];
  return needed
    .filter(([volume, folder]) => !mounts.some(({ source, target }) => source === volume && target === folder))
    .map(([volume, folder]) => `${volume} is not mounted at ${folder}`);
}
