import type { Check } from './check';
import { type ComposeService, composeLayers } from './compose';
import { type Container, type PodSpec, readWorkloads } from './manifests';

/** What each pod in k8s/ must have. */
const podRules: Record<string, (pod: PodSpec) => boolean> = {
  'automountServiceAccountToken must be false': (pod) => pod.automountServiceAccountToken === false,
  'enableServiceLinks must be false: Services would set variables such as DB_PORT': (pod) =>
    pod.enableServiceLinks === false,
};

/** What each container in k8s/ must have. Its security context includes the pod's. */
const containerRules: Record<string, (container: Container) => unknown> = {
  'runAsNonRoot must be true': ({ securityContext }) => securityContext?.runAsNonRoot === true,
  'runAsUser must not be root': ({ securityContext }) => securityContext?.runAsUser,
  'seccompProfile must be RuntimeDefault': ({ securityContext }) =>
    securityContext?.seccompProfile?.type === 'RuntimeDefault',
  'readOnlyRootFilesystem must be true': ({ securityContext }) => securityContext?.readOnlyRootFilesystem === true,
  'allowPrivilegeEscalation must be false': ({ securityContext }) =>
    securityContext?.allowPrivilegeEscalation === false,
  'capabilities must drop ALL': ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL'),
  'capabilities must add none': ({ securityContext }) => !securityContext?.capabilities?.add,
  'requests.cpu is missing': ({ resources }) => resources?.requests?.cpu,
  'requests.memory is missing': ({ resources }) => resources?.requests?.memory,
  'limits.memory is missing': ({ resources }) => resources?.limits?.memory,
};

/** Not for jobs, and not for init containers, which cannot have probes. */
const probeRules: Record<string, (container: Container) => unknown> = {
  'startupProbe is missing': ({ startupProbe }) => startupProbe,
  'livenessProbe is missing': ({ livenessProbe }) => livenessProbe,
  'readinessProbe is missing': ({ readinessProbe }) => readinessProbe,
};

/** A database outage makes the pods of the services unready, but restarts none. */
const serviceRules: Record<string, (container: Container) => unknown> = {
  'startupProbe must use /health': ({ startupProbe }) => startupProbe?.httpGet?.path === '/health',
  'livenessProbe must use /health': ({ livenessProbe }) => livenessProbe?.httpGet?.path === '/health',
  'readinessProbe must use /ready': ({ readinessProbe }) => readinessProbe?.httpGet?.path === '/ready',
};

const composeRules: Record<string, (service: ComposeService) => unknown> = {
  'user must not be root': ({ user = '' }) => !/^(0|root)\b/.test(user),
  'read_only must be true': (service) => service.read_only === true,
  'cap_drop must have ALL': (service) => service.cap_drop?.includes('ALL'),
  'security_opt must have no-new-privileges:true': (service) =>
    service.security_opt?.includes('no-new-privileges:true'),
  'logging.options must have max-size and max-file: its log fills the disk': ({ logging }) =>
    logging?.options?.['max-size'] && logging.options['max-file'],
  'deploy.resources.limits.memory is missing': ({ deploy }) => deploy?.resources?.limits?.memory,
};

/** Reads log files, which belong to root. */
const readsAsRoot = 'fluent-bit';

/** Checks that a container that is broken into, or that fails, does as little harm as possible. */
export const containersAreHardened: Check = (files, table) => [
  ...readWorkloads(files).flatMap(({ at, kind, pod }) => {
    const withPod = (container: Container): Container => ({
      ...container,
      securityContext: { ...pod.securityContext, ...container.securityContext },
    });
    const containers = pod.containers.map(withPod);
    return [
      ...broken(podRules, pod),
      ...[...containers, ...(pod.initContainers ?? []).map(withPod)].flatMap((each) =>
        broken(containerRules, each.name === readsAsRoot ? asUser(each) : each),
      ),
      ...(kind.endsWith('Job') ? [] : containers).flatMap((each) =>
        broken({ ...probeRules, ...(each.name in table ? serviceRules : {}) }, each),
      ),
    ].map((problem) => `${at}: ${problem}`);
  }),
  ...composeLayers(files).flatMap(({ file, services }) =>
    Object.entries(services).flatMap(([name, service]) =>
      broken(composeRules, name === readsAsRoot ? { ...service, user: '' } : service).map(
        (problem) => `${file}: services.${name}: ${problem}`,
      ),
    ),
  ),
];

const asUser = (container: Container): Container => ({
  ...container,
  securityContext: { ...container.securityContext, runAsNonRoot: true, runAsUser: 1 },
});

const broken = <T>(rules: Record<string, (subject: T) => unknown>, subject: T): string[] =>
  Object.entries(rules).flatMap(([problem, holds]) => (holds(subject) ? [] : [problem]));
