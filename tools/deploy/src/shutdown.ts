import { serviceNames } from '@shop/test-servers';
import { inEachLayer } from './compose';
import { readManifests, workloads } from './manifests';
import { composeGateway, kubernetesGateway, shutdownSeconds } from './nginx';
import type { Check, Found } from './problem';

/** A service exits within this time after SIGTERM (packages/core). */
const drainSeconds = 10;

/** Checks that grace periods are long enough, and that in Kubernetes pods are removed from endpoints before they stop. */
export const stoppingTakesItsTime: Check = (files) => {
  const gateway = shutdownSeconds(kubernetesGateway(files));
  const inKubernetes = workloads(readManifests(files)).flatMap(({ file, at, kind, pod }): Found[] =>
    pod.containers.flatMap(({ name, lifecycle }) => {
      const before = lifecycle?.preStop?.sleep?.seconds ?? 0;
      const needed = before + (name === 'nginx' ? gateway : drainSeconds);
      const short = (pod.terminationGracePeriodSeconds ?? 30) <= needed;
      const message = `must be over ${needed}: preStop plus the ${needed - before} s that it needs to stop`;
      return [
        ...(short ? [{ file, at: `${at} terminationGracePeriodSeconds`, message }] : []),
        // A StatefulSet has only one pod here, so there is no other pod to use meanwhile.
        ...(kind === 'Deployment' && before === 0 ? [{ file, at: `${at} preStop`, message: 'must sleep' }] : []),
      ];
    }),
  );
  const inCompose = inEachLayer(files, (layer) =>
    [...serviceNames, 'nginx'].flatMap((name): Found[] => {
      const needed = name === 'nginx' ? shutdownSeconds(composeGateway(layer, files)) : drainSeconds;
      const grace = /^(\d+)s$/.exec(layer.services[name]?.stop_grace_period ?? '10s')?.[1];
      if (Number(grace) > needed) return [];
      return [{ file: layer.file, at: `services.${name}.stop_grace_period`, message: `must be over ${needed}s` }];
    }),
  );
  return [...inKubernetes, ...inCompose];
};
