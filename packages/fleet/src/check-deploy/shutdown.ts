import { serviceNames } from '../services';
import { inEachLayer } from './compose';
import { readManifests, workloads } from './manifests';
import { composeGateway, kubernetesGateway, shutdownSeconds } from './nginx';
import type { Check, Found } from './problem';

/** Within which a service promises to be gone after SIGTERM (packages/core). */
const drainSeconds = 10;

/** Whoever is told to stop has the time to finish, and in Kubernetes is forgotten by the others first. */
export const stoppingTakesItsTime: Check = (files) => {
  const gateway = shutdownSeconds(kubernetesGateway(files));
  const inKubernetes = workloads(readManifests(files)).flatMap(({ file, at, kind, pod }): Found[] =>
    pod.containers.flatMap(({ name, lifecycle }) => {
      const before = lifecycle?.preStop?.sleep?.seconds ?? 0;
      const needed = before + (name === 'nginx' ? gateway : drainSeconds);
      const short = (pod.terminationGracePeriodSeconds ?? 30) <= needed;
      const message = `must be over ${needed}: preStop, and the ${needed - before} s within which it is gone`;
      return [
        ...(short ? [{ file, at: `${at} terminationGracePeriodSeconds`, message }] : []),
        // Of a StatefulSet there is one here: there is nobody else to go to.
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
