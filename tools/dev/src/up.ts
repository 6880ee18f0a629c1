import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  applySchema,
  createFleet,
  createMonitoring,
  dataDir,
  displayPath,
  type Fleet,
  findBinary,
  freePort,
  monitorNames,
  operatorMessage,
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
import { databaseOf, readSettings, redisOf, variablesOf } from './settings';
import { logDir, runDir, urlOf, writeState } from './state';
import { entryTable } from './status';

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
  const finished = stopOnSignals(run);
  try {
    await startEverything(run, Number(values.replicas), values.monitoring);
  } catch (error) {
    if (!run.isStopping) {
      console.error('error:', operatorMessage(error) ?? error);
      console.error('start failed; stopping everything that was started');
      await run.stop();
      return 1;
    }
  }
  return finished;
}

/** Resolves to the exit code after a signal has stopped everything. */
function stopOnSignals(run: Run): Promise<number> {
  setInterval(() => undefined, 1 << 30); // keeps us alive even if all children die
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      // `npm run` forwards the Ctrl+C that the terminal has already sent us: two within 500 ms count as one.
      if (firstAt !== undefined) {
        if (signal === 'SIGINT' && Date.now() - firstAt > 500) process.exit(130); // kills processes, not containers
        return;
      }
      firstAt = Date.now();
      console.log(`\n${signal}: stopping (press Ctrl+C again to kill immediately)`);
      const wasReady = run.state.gatewayPort !== undefined;
      void run.stop().then(() => {
        console.log('stopped');
        resolve(wasReady ? 0 : 130);
      });
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

async function startEverything(run: Run, replicas: number, monitoring: boolean): Promise<void> {
  const { settings } = run;
  await rm(logDir, { recursive: true, force: true });
  await mkdir(logDir, { recursive: true });
  if (!findBinary('setpriv'))
    run.log('warning: without setpriv (util-linux), a kill -9 of this process leaves its servers running');
  console.log(`settings: ${displayPath(settings.ENV_FILE)} and the environment`);
  const gatewayPort = await reservePorts(run, replicas);
  await findOrStart(run, settings.DB_POOL_SIZE * serviceNames.length * replicas, [
    'nginx',
    ...(monitoring ? monitorNames : []),
  ]);
  await prepareDatabase(run);
  const statusPort = monitoring ? await freePort() : undefined;
  const fleet = await createFleet({
    env: { ...settings.env, ...variablesOf(settings) },
    runDir,
    logDir,
    replicas,
    ports: settings.ports,
    gatewayPort,
    statusPort,
    dieWithParent: true,
    ...run.events,
  });
  run.onStop(fleet.stop);
  for (const server of fleet.instances) run.recordServer(server, 'service');
  run.recordServer(fleet.gateway, 'nginx', { log: accessLog });
  console.log(`starting ${fleet.instances.length} service processes and Nginx`);
  await fleet.start();
  const hints = statusPort === undefined || run.isStopping ? '' : await startMonitoring(run, fleet, statusPort);
  if (run.isStopping) return;
  run.state.gatewayPort = gatewayPort;
  writeState(run.state);
  announce(run, urlOf(gatewayPort), hints);
}

/** Checks the ports before anything is started, because a port in use is the most common failure. @returns Nginx's */
async function reservePorts(run: Run, replicas: number): Promise<number> {
  const { ports, GATEWAY_PORT: gatewayPort } = run.settings;
  for (const service of serviceNames) {
    for (let index = 0; index < replicas; index++) {
      await requirePort(ports[service] + 10 * index, replicaName(service, index), portVariable(service));
    }
  }
  const at80 = gatewayPort === undefined ? await portState(80) : undefined;
  if (at80 === 'taken') run.log(`Nginx: port 80 is taken${await takenBy(80)}; using 8000`);
  if (at80 === 'denied') run.log('Nginx: port 80 is reserved for root; using 8000');
  const port = gatewayPort ?? (at80 === 'free' ? 80 : 8000);
  await requirePort(port, 'Nginx', 'GATEWAY_PORT');
  return port;
}

async function prepareDatabase({ settings, state, isLocal, log }: Run): Promise<void> {
  const database = databaseOf(settings);
  await applySchema(database, { seed: isLocal, log });
  const warning = await missingUploadsWarning(database, settings.env);
  if (warning) log(warning);
  const { ENV_FILE, DB_HOST, DB_PORT, DB_USER, DB_NAME } = variablesOf(settings);
  state.database = { ENV_FILE, DB_HOST, DB_PORT, DB_USER, DB_NAME };
}

/** Starts Prometheus, Alertmanager and the exporters, on their usual ports or the next free ones. @returns what to try */
async function startMonitoring(run: Run, fleet: Fleet, statusPort: number): Promise<string> {
  const { settings } = run;
  const { servers, prometheus, alertmanager, start, stop } = await createMonitoring({
    fleet,
    statusPort,
    database: databaseOf(settings),
    redis: run.entry('redis') && redisOf(settings),
    dir: path.join(dataDir, 'monitoring'),
    logDir,
    environment: settings.APP_ENV,
    log: run.log,
    dieWithParent: true,
    ...run.events,
  });
  run.onStop(stop);
  for (const server of servers) run.recordServer(server, 'monitoring');
  await start();
  return `
  http://localhost:${prometheus.port}  Prometheus: firing alerts (Alerts), targets (Status, Targets), any metric (Graph)
  amtool alert --alertmanager.url=http://localhost:${alertmanager.port}  the alerts in Alertmanager`;
}

function announce({ state }: Run, url: string, hints: string): void {
  console.log(`
ready

${entryTable(state.entries)}

try next
  curl ${url}/health
  ${url}/docs  in a browser: read and try the whole API
  tail -f ${displayPath(accessLog)}  each request to Nginx; error.log is in the same folder
  npm run journey  a complete purchase, step by step${hints}
  ./run-services.sh status  in another terminal; also: stop
Ctrl+C stops everything that this command started.`);
}
