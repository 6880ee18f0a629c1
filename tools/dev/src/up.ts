import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Env } from '@shop/core/config';
import {
  applySchema,
  createFleet,
  createMonitoring,
  dataDir,
  displayPath,
  findBinary,
  freePort,
  loginVariables,
  monitorNames,
  portState,
  portVariable,
  replicaName,
  requirePort,
  serviceNames,
  takenBy,
} from '@shop/test-servers';
import { findOrStart } from './data-servers';
import { missingUploadsWarning } from './missing-uploads';
import { Run } from './run';
import { databaseOf, readSettings, redisOf, type Settings, variablesOf } from './settings';
import { gatewayUrl, logDir, runDir, type State } from './state';
import { status } from './status';

/** The path in Nginx's rendered configuration. error.log is in the same folder. */
const accessLog = path.join(runDir, 'nginx/logs/access.log');

/** Starts everything, prints a summary, and keeps running until it gets a signal. */
export async function up(args: string[]): Promise<number> {
  // run-services.sh has already rejected wrong arguments, before installing or building anything.
  const { values } = parseArgs({
    args,
    options: { replicas: { type: 'string', default: '1' }, monitoring: { type: 'boolean', default: false } },
  });
  const run = new Run(readSettings());
  await run.begin();
  const stopped = stopOnSignals(run);
  try {
    await startEverything(run, Number(values.replicas), values.monitoring);
  } catch (error) {
    if (!run.stopping) {
      console.error('start failed; stopping everything that was started');
      await run.stop();
      throw error;
    }
  }
  return stopped;
}

/** Resolves to the exit code after a signal has stopped everything. */
function stopOnSignals(run: Run): Promise<number> {
  setInterval(() => undefined, 1 << 30); // keeps us alive even if all children die
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = async (signal: NodeJS.Signals) => {
      // `npm run` forwards the Ctrl+C that the terminal has already sent us: two within 500 ms count as one.
      if (firstAt !== undefined) {
        if (signal === 'SIGINT' && Date.now() - firstAt > 500) process.exit(130); // kills what still runs
        return;
      }
      firstAt = Date.now();
      console.log(`\n${signal}: stopping (press Ctrl+C again to kill immediately)`);
      const exitCode = run.state.gatewayPort === undefined ? 130 : 0;
      await run.stop();
      console.log('stopped');
      resolve(exitCode);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

async function startEverything(run: Run, replicas: number, monitoring: boolean): Promise<void> {
  if (!findBinary('setpriv'))
    console.log('warning: without setpriv (util-linux), a kill -9 of this process leaves its servers running');
  console.log(`settings: ${displayPath(run.settings.ENV_FILE)} and the environment`);
  const gatewayPort = await reservePorts(run.settings, replicas);
  const connections = run.settings.DB_POOL_SIZE * serviceNames.length * replicas;
  await findOrStart(run, connections, ['nginx', ...(monitoring ? monitorNames : [])]);
  await prepareDatabase(run);
  const hints = await startFleet(run, replicas, gatewayPort, monitoring);
  run.state.gatewayPort = gatewayPort;
  console.log('\nready\n');
  await status();
  const url = await gatewayUrl();
  console.log(`
try next
  ${url}/  in a browser: the shop; npm run demo fills it with products
  curl ${url}/health
  ${url}/docs  in a browser: read and try the whole API
  tail -f ${displayPath(accessLog)}  each request to Nginx; error.log is in the same folder
  npm run journey  a complete purchase, step by step${hints}
  ./run-services.sh status  in another terminal; also: stop
Ctrl+C stops everything that this command started.`);
}

/** Checks the ports before anything is started, because a port in use is the most common failure. @returns Nginx's */
async function reservePorts({ ports, GATEWAY_PORT }: Settings, replicas: number): Promise<number> {
  for (const service of serviceNames) {
    for (let index = 0; index < replicas; index++) {
      await requirePort(ports[service] + 10 * index, replicaName(service, index), portVariable(service));
    }
  }
  const at80 = GATEWAY_PORT === undefined ? await portState(80) : undefined;
  if (at80 === 'taken') console.log(`Nginx: port 80 is taken${await takenBy(80)}; using 8000`);
  if (at80 === 'denied') console.log('Nginx: port 80 is reserved for root; using 8000');
  const port = GATEWAY_PORT ?? (at80 === 'free' ? 80 : 8000);
  await requirePort(port, 'Nginx', 'GATEWAY_PORT');
  return port;
}

async function prepareDatabase({ settings, state }: Run): Promise<void> {
  const database = databaseOf(settings);
  const ownUsers = isStarted(state, 'db') ? withOwnUsers(settings.env) : {};
  Object.assign(settings.env, ownUsers);
  await applySchema(database, { seed: settings.isLocal, env: settings.env, log: console.log });
  const warning = await missingUploadsWarning(database, settings.env);
  if (warning) console.log(warning);
  const { ENV_FILE, DB_HOST, DB_PORT, DB_USER, DB_NAME } = variablesOf(settings);
  state.database = { ENV_FILE, DB_HOST, DB_PORT, DB_USER, DB_NAME, ...ownUsers };
}

const isStarted = ({ entries }: State, name: string) => entries.some((entry) => entry.name === name && entry.log);

/**
 * A database user for each service that has none in the settings. Only on a server that we have started: on another one, DB_USER
 * may lack the rights to create users.
 */
const withOwnUsers = (env: Env): Env =>
  Object.fromEntries(
    serviceNames.map((service) => {
      const { user } = loginVariables(service);
      return [user, env[user] || service];
    }),
  );

/** The services, Nginx and, if wanted, the monitoring. @returns what to try with that */
async function startFleet(run: Run, replicas: number, gatewayPort: number, withMonitoring: boolean): Promise<string> {
  const { settings } = run;
  const common = { runDir, logDir, ...run.serverOptions };
  const statusPort = withMonitoring ? await freePort() : undefined;
  const fleet = await createFleet({
    env: { ...settings.env, ...variablesOf(settings) },
    ports: settings.ports,
    replicas,
    gatewayPort,
    statusPort,
    ...common,
  });
  console.log(`starting ${fleet.instances.length} service processes and Nginx`);
  await run.start(fleet, [...fleet.instances, fleet.gateway]);
  if (statusPort === undefined) return '';
  // On their usual ports or the next free ones.
  const monitoring = await createMonitoring({
    fleet,
    statusPort,
    database: databaseOf(settings),
    redis: run.has('redis') ? redisOf(settings) : undefined,
    dir: path.join(dataDir, 'monitoring'),
    environment: settings.APP_ENV,
    log: console.log,
    ...common,
  });
  await run.start(monitoring, monitoring.servers);
  return `
  http://localhost:${monitoring.prometheus.port}  Prometheus: firing alerts (Alerts), targets (Status, Targets), any metric (Graph)
  amtool alert --alertmanager.url=http://localhost:${monitoring.alertmanager.port}  the alerts in Alertmanager`;
}
