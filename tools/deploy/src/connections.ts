import { parseEnv } from 'node:util';
import { serviceNames } from '@shop/test-servers';
import { baseOf, type ComposeFile, environmentOf, interpolated, readCompose } from './compose';
import type { DeployFiles } from './files';
import { matches, ofKind, readManifests, workloads } from './manifests';
import type { Check, Found } from './problem';

/** Checks that the maximum number of processes with full pools fits MySQL's limit, and that FLEET_PROCESSES is that number. */
export const poolsFitMysql: Check = (files) => [...composeProblems(files), ...kubernetesProblems(files)];

interface Fleet {
  file: string;
  processes: number;
  said: string | undefined;
  poolSize: string | undefined;
  accepted: number;
  server: string;
}

function problemsOf({ file, processes, said, poolSize, accepted, server }: Fleet): Found[] {
  const found: Found[] = [];
  if (!(Number(said) >= processes)) {
    found.push({ file, at: 'FLEET_PROCESSES', message: `is ${said}, there can be ${processes}` });
  }
  if (!(processes * Number(poolSize) < accepted)) {
    const message = `is ${accepted}, and ${processes} processes may open ${poolSize} connections each`;
    found.push({ file: server, at: '--max-connections', message });
  }
  return found;
}

const limitIn = (flags: readonly string[]): number | undefined => {
  const flag = flags.find((text) => text.startsWith('--max-connections='));
  return flag === undefined ? undefined : Number(flag.split('=')[1]);
};

/** The base file alone, and merged with each overlay that changes the number of replicas, in each environment. */
function composeProblems(files: DeployFiles): Found[] {
  const all = readCompose(files);
  const base = baseOf(all);
  const overlays = all.filter(
    ({ file, services }) => file !== base.file && serviceNames.some((name) => services[name]?.deploy),
  );
  const environments = files.paths.filter((file) => file.startsWith('.env.'));
  return [base, ...overlays].flatMap((top) =>
    environments.flatMap((file) => problemsOf(composeFleet(base, top, parseEnv(files.read(file)).DB_POOL_SIZE))),
  );
}

function composeFleet(base: ComposeFile, top: ComposeFile, poolInFile: string | undefined): Fleet {
  const given = (name: string) => {
    const merged = serviceNames.map((service) =>
      [top, base]
        .map(({ services }) => environmentOf(services[service] ?? {}).get(name))
        .find((value) => value !== undefined),
    );
    return merged[0] === undefined ? undefined : interpolated(merged[0]);
  };
  const processes = serviceNames.map((service) => {
    const [above, below] = [top, base].map(({ services }) => services[service]?.deploy);
    const { order, parallelism = 1 } = above?.update_config ?? below?.update_config ?? {};
    // Swarm updates all services at once, each a few replicas at a time.
    return (above?.replicas ?? below?.replicas ?? 1) + (order === 'start-first' ? parallelism : 0);
  });
  const flags = [top, base].map(({ services }) => limitIn([services.db?.command ?? []].flat()));
  return {
    file: top.file,
    processes: processes.reduce((sum, count) => sum + count, 0),
    said: given('FLEET_PROCESSES'),
    poolSize: given('DB_POOL_SIZE') ?? poolInFile,
    accepted: flags.find((limit) => limit !== undefined) ?? 0,
    server: top.file,
  };
}

/** The maximum replicas of all autoscalers, plus the new and the stopping ones during an update. */
function kubernetesProblems(files: DeployFiles): Found[] {
  const manifests = readManifests(files);
  const settings = ofKind(manifests, 'ConfigMap').find(({ data }) => 'DB_POOL_SIZE' in data);
  const pods = workloads(manifests);
  const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === settings?.data.DB_HOST);
  const server = pods.find(({ labels }) => service && matches(service.spec.selector, labels));
  if (!settings || !server) {
    return [{ file: 'k8s', at: '', message: 'DB_POOL_SIZE is missing, or DB_HOST names no database' }];
  }
  const scaled = ofKind(manifests, 'HorizontalPodAutoscaler').map(({ spec }) => {
    const { kind, name } = spec.scaleTargetRef ?? {};
    const target = pods.find((workload) => workload.kind === kind && workload.metadata.name === name);
    const most = Number(spec.maxReplicas ?? 0);
    const surge = Number(target?.spec.strategy?.rollingUpdate?.maxSurge ?? 1);
    // A stopping pod keeps its connections until it exits, and the next one stops `minReadySeconds` later.
    const { minReadySeconds = 0 } = target?.spec ?? {};
    const ending =
      minReadySeconds > 0 ? Math.ceil((target?.pod.terminationGracePeriodSeconds ?? 30) / minReadySeconds) : most;
    return most + surge + surge * ending;
  });
  return problemsOf({
    file: settings.file,
    processes: scaled.reduce((sum, count) => sum + count, 0),
    said: settings.data.FLEET_PROCESSES,
    poolSize: settings.data.DB_POOL_SIZE,
    accepted: limitIn(server.pod.containers.flatMap(({ args = [] }) => args)) ?? 0,
    server: server.file,
  });
}
