import { readManifests, type Workload, workloads } from './manifests';
import type { Check, Found } from './problem';

/** Within which a service promises to be gone after SIGTERM (packages/core). */
const drainSeconds = 10;

/** What the API server takes but nobody wants: pods as root, without limits or probes, killed while they still answer. */
export const podsAreSafe: Check = (files) =>
  workloads(readManifests(files)).flatMap((workload) => podProblems(workload));

function podProblems({ file, at, pod }: Workload): Found[] {
  const found: Found[] = [];
  const must = (held: boolean, where: string, message: string) => {
    if (!held) found.push({ file, at: `${at} ${where}`, message });
  };
  must(
    pod.enableServiceLinks === false,
    'enableServiceLinks',
    'must be false: Services would set variables such as DB_PORT',
  );
  must(pod.automountServiceAccountToken === false, 'automountServiceAccountToken', 'must be false');
  must(pod.securityContext?.runAsNonRoot === true, 'securityContext.runAsNonRoot', 'must be true');
  must((pod.securityContext?.runAsUser ?? 0) > 0, 'securityContext.runAsUser', 'must name a user other than root');
  must(pod.securityContext?.seccompProfile?.type === 'RuntimeDefault', 'seccompProfile.type', 'must be RuntimeDefault');
  for (const container of pod.containers) {
    const where = (field: string) => `container ${container.name} ${field}`;
    const { securityContext: security, resources, lifecycle } = container;
    must(security?.allowPrivilegeEscalation === false, where('allowPrivilegeEscalation'), 'must be false');
    must(security?.readOnlyRootFilesystem === true, where('readOnlyRootFilesystem'), 'must be true');
    must(security?.capabilities?.drop?.includes('ALL') === true, where('capabilities.drop'), 'must have ALL');
    must(!security?.capabilities?.add, where('capabilities.add'), 'nothing here needs one');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
      must(container[probe] !== undefined, where(probe), 'is missing');
    }
    for (const kind of ['requests', 'limits'] as const) {
      for (const resource of ['cpu', 'memory']) {
        must(resources?.[kind]?.[resource] !== undefined, where(`resources.${kind}.${resource}`), 'is missing');
      }
    }
    const needed = (lifecycle?.preStop?.sleep?.seconds ?? 0) + drainSeconds;
    must(
      (pod.terminationGracePeriodSeconds ?? 30) > needed,
      'terminationGracePeriodSeconds',
      `must be over ${needed}: preStop, and the ${drainSeconds} s within which a service is gone`,
    );
  }
  return found;
}
