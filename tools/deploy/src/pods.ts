import { serviceNames } from '@shop/test-servers';
import { ofKind, readManifests, type Workload, workloads } from './manifests';
import type { Check, Found } from './problem';

const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;

/** The paths that each probe may use: a database outage must make pods unready, but must not restart them. */
const probePaths: Record<(typeof probes)[number], string[]> = {
  startupProbe: ['/health', '/ready'],
  livenessProbe: ['/health'],
  readinessProbe: ['/ready'],
};

/** Finds what the API server accepts but should not be deployed: pods as root, without limits, or with missing or wrong probes. */
export const podsAreSafe: Check = (files) => {
  const manifests = readManifests(files);
  const reversed = ofKind(manifests, 'HorizontalPodAutoscaler')
    .filter(({ spec: { minReplicas = 1, maxReplicas = 0 } }) => minReplicas > maxReplicas)
    .map(({ file, at }) => ({ file, at, message: 'minReplicas is over maxReplicas' }));
  return [...reversed, ...workloads(manifests).flatMap(podProblems)];
};

function podProblems({ file, at, metadata, pod }: Workload): Found[] {
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
    const { securityContext: security, resources } = container;
    must(security?.allowPrivilegeEscalation === false, where('allowPrivilegeEscalation'), 'must be false');
    must(security?.readOnlyRootFilesystem === true, where('readOnlyRootFilesystem'), 'must be true');
    must(security?.capabilities?.drop?.includes('ALL') === true, where('capabilities.drop'), 'must have ALL');
    must(!security?.capabilities?.add, where('capabilities.add'), 'no container here needs a capability');
    for (const probe of probes) {
      must(container[probe] !== undefined, where(probe), 'is missing');
      const asked = container[probe]?.httpGet?.path;
      const paths = serviceNames.some((service) => service === metadata.name) ? probePaths[probe] : undefined;
      must(!container[probe] || !paths || paths.includes(asked ?? ''), where(probe), `must use ${paths?.join(' or ')}`);
    }
    for (const kind of ['requests', 'limits'] as const) {
      for (const resource of ['cpu', 'memory']) {
        must(resources?.[kind]?.[resource] !== undefined, where(`resources.${kind}.${resource}`), 'is missing');
      }
    }
    for (const [resource, limit] of Object.entries(resources?.limits ?? {})) {
      const request = resources?.requests?.[resource] ?? limit;
      const said = `requests ${request} of at most ${limit}`;
      must(amount(request) <= amount(limit), where(`resources ${resource}`), said);
    }
  }
  return found;
}

const powers = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** `100m`, `1.5`, `128Mi` or `2G` as a number; NaN for anything else. */
function amount(quantity: string | number): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)(|m|[kMGTPE]|[KMGTPE]i)$/.exec(String(quantity)) ?? [];
  if (unit === 'm') return Number(digits) / 1000;
  const power = powers.indexOf(unit.replace('Ki', 'k').replace('i', ''));
  return Number(digits) * (unit.endsWith('i') ? 1024 : 1000) ** power;
}
