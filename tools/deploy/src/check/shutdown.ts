import type { Check } from './check';
import { composeLayers } from './compose';
import { readWorkloads } from './manifests';

/** A service exits within this time after SIGTERM (packages/core). */
const drainSeconds = 10;

/** Checks that grace periods are long enough, and that in Kubernetes pods are removed from endpoints before they stop. */
export const stoppingTakesItsTime: Check = (files, table) => {
  // The time for requests in progress; without the directive, unlimited.
  const timeout = /^worker_shutdown_timeout (\d+)s;/m.exec(files.read('nginx/containers/nginx.conf.template'))?.[1];
  const toStop = (name: string) => (name === 'nginx' ? Number(timeout ?? Number.POSITIVE_INFINITY) : drainSeconds);
  const inKubernetes = readWorkloads(files).flatMap(({ at, kind, metadata: { name }, pod }) => {
    const before = pod.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const needed = before + toStop(name);
    return [
      ...((pod.terminationGracePeriodSeconds ?? 30) > needed
        ? []
        : [`${at} terminationGracePeriodSeconds: must be over ${needed}: preStop and ${toStop(name)} s to stop`]),
      // A StatefulSet has only one pod here, so there is no other pod to use meanwhile.
      ...(kind === 'Deployment' && before === 0 ? [`${at} preStop: must sleep`] : []),
    ];
  });
  const inCompose = composeLayers(files).flatMap(({ file, services }) =>
    [...Object.keys(table), 'nginx']
      .filter((name) => !(Number.parseInt(services[name]?.stop_grace_period ?? '10s', 10) > toStop(name)))
      .map((name) => `${file}: services.${name}.stop_grace_period: must be over ${toStop(name)}s`),
  );
  return [...inKubernetes, ...inCompose];
};
