import path from 'node:path';
import {
  createMonitoring,
  dataDir,
  type Env,
  type Fleet,
  findProgram,
  installPrograms,
  type Monitoring,
  type MonitorName,
  monitorNames,
  monitorPorts,
  OperatorError,
} from '@shop/test-servers';
import { logDir } from '../dev-paths';
import { databaseConfig } from '../find-database';
import { redisConfig } from '../find-redis';
import { portNear } from '../resources';
import type { Run } from './run';

/** Installs missing programs. Throws if that fails, because monitoring was requested explicitly. */
export async function requireMonitoring(run: Run): Promise<void> {
  const missing = monitorNames.filter((name) => !findProgram(name));
  if (missing.length === 0) return;
  const problem = await installPrograms(missing, run.log);
  if (problem !== undefined) throw new OperatorError(`--monitoring: ${problem}`);
}

/** Starts Prometheus, Alertmanager and the exporters for a running fleet, on their usual ports or the next free ones. */
export async function startMonitoring(run: Run, fleet: Fleet, env: Env, statusPort: number): Promise<Monitoring> {
  const monitoring = createMonitoring({
    fleet,
    statusPort,
    database: databaseConfig(env),
    redis: run.state.entries.some(({ kind }) => kind === 'redis') ? redisConfig(env) : undefined,
    dir: path.join(dataDir, 'monitoring'),
    logDir,
    ports: await portsFor(run),
    environment: env.APP_ENV || 'local',
    dieWithParent: true,
    ...run.events,
  });
  run.onStop(() => monitoring.stop());
  await monitoring.start();
  return monitoring;
}

async function portsFor(run: Run): Promise<Record<MonitorName, number>> {
  const ports: Record<MonitorName, number> = { ...monitorPorts };
  for (const name of monitorNames) ports[name] = await portNear(monitorPorts[name], name, run);
  return ports;
}
