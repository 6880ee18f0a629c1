import { parseEnv } from 'node:util';
import type { Check } from './check';
import { composeLayers, environmentOf } from './compose';
import { type DeployFiles, envFiles } from './files';
import { dataOf, ofKind, readWorkloads } from './manifests';

/** Checks that the maximum number of processes with full pools fits MySQL's limit, and that FLEET_PROCESSES is that number. */
export const poolsFitMysql: Check = (files, table) => {
  const inCompose = composeLayers(files).flatMap(({ file, services }) => {
    const own = Object.keys(table).map((name) => services[name]);
    const processes = own.map(({ deploy: { replicas = 1, update_config: update } = {} } = {}) => {
      // Swarm updates all services at once, each a few replicas at a time.
      return replicas + (update?.order === 'start-first' ? (update.parallelism ?? 1) : 0);
    });
    const given = Object.fromEntries(environmentOf(own[0]));
    const flags = services.db?.command ?? [];
    return envFiles(files).flatMap((env) =>
      problemsOf(file, processes, { ...parseEnv(files.read(env)), ...given }, flags),
    );
  });
  return [...inCompose, ...kubernetesProblems(files)];
};

/** The maximum replicas of all autoscalers, plus the new and the stopping ones during an update. */
function kubernetesProblems(files: DeployFiles): string[] {
  const pods = readWorkloads(files);
  const processes = ofKind(files, 'HorizontalPodAutoscaler').map(({ spec: { scaleTargetRef, maxReplicas = 0 } }) => {
    const target = pods.find(({ metadata }) => metadata.name === scaleTargetRef?.name);
    const surge = target?.spec.strategy?.rollingUpdate?.maxSurge ?? 1;
    // A stopping pod keeps its connections until it exits, and the next one stops `minReadySeconds` later.
    const { minReadySeconds = 0 } = target?.spec ?? {};
    const grace = target?.pod.terminationGracePeriodSeconds ?? 30;
    return maxReplicas + surge + surge * (minReadySeconds > 0 ? Math.ceil(grace / minReadySeconds) : maxReplicas);
  });
  const flags = pods.find(({ metadata }) => metadata.name === 'db')?.pod.containers[0]?.args ?? [];
  return problemsOf('k8s/configmap.yaml', processes, dataOf(files, 'shop-config'), flags);
}

function problemsOf(
  file: string,
  perService: number[],
  { FLEET_PROCESSES: declared, DB_POOL_SIZE: poolSize }: Record<string, string | undefined>,
  flags: string[],
): string[] {
  const processes = perService.reduce((sum, count) => sum + count, 0);
  const limit = Number(/--max-connections=(\d+)/.exec(flags.join(' '))?.[1] ?? 0);
  const found: string[] = [];
  if (!(Number(declared) >= processes))
    found.push(`${file}: FLEET_PROCESSES: is ${declared}, there can be ${processes}`);
  if (!(processes * Number(poolSize) < limit)) {
    found.push(
      `${file}: --max-connections: is ${limit}, and ${processes} processes may open ${poolSize} connections each`,
    );
  }
  return found;
}
