import { mkdir, readFile, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  applySql,
  createFleet,
  displayPath,
  type Env,
  findProgram,
  freePort,
  type Monitoring,
  OperatorError,
  operatorMessage,
  portNumber,
  portState,
  portVariable,
  positiveNumber,
  readSettings,
  requirePort,
  type Settings,
  serviceNames,
  takenBy,
} from '@shop/test-servers';
import { accessLog, logDir, runDir } from '../dev-paths';
import { databaseConfig, findDatabase } from '../find-database';
import { findRedis } from '../find-redis';
import { missingUploadsWarning } from '../missing-uploads';
import { bringUp, type Found, type Need } from '../resources';
import { gatewayUrl } from '../state';
import { sqlStepsFor } from './db-apply';
import { Run } from './run';
import { requireMonitoring, startMonitoring } from './start-monitoring';
import { entryTable } from './status';

/** Starts everything, prints a summary, and keeps running until it gets a signal. */
export async function up(args: string[]): Promise<number> {
  const options = parseOptions(args);
  const settings = readSettings();
  const run = await Run.begin(settings);
  const finished = stopOnSignals(run);
  try {
    await startEverything(run, options);
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

interface UpOptions {
  replicas: number;
  monitoring: boolean;
}

/** run-services.sh has already rejected wrong arguments, before installing or building anything. */
function parseOptions(args: string[]): UpOptions {
  const { values } = parseArgs({
    args,
    options: { replicas: { type: 'string', default: '1' }, monitoring: { type: 'boolean', default: false } },
  });
  return { replicas: Number(values.replicas), monitoring: values.monitoring };
}

/** Resolves to the exit code after a signal has stopped everything. */
function stopOnSignals(run: Run): Promise<number> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 1 << 30); // keeps us alive even if all children die
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      // `npm run` forwards the Ctrl+C that the terminal has already sent us: two within 500 ms count as one.
      if (firstAt !== undefined) {
        if (signal === 'SIGINT' && Date.now() - firstAt > 500) run.abandon();
        return;
      }
      firstAt = Date.now();
      console.log(`\n${signal}: stopping (press Ctrl+C again to kill immediately)`);
      const wasReady = run.state.gatewayPort !== undefined;
      void run.stop().then(() => {
        clearInterval(alive);
        console.log('stopped');
        resolve(wasReady ? 0 : 130);
      });
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
}

async function startEverything(run: Run, { replicas, monitoring }: UpOptions): Promise<void> {
  const { settings } = run;
  await rm(logDir, { recursive: true, force: true });
  await mkdir(logDir, { recursive: true });
  console.log(`settings: ${displayPath(settings.file)} and the environment`);
  await refuseSkippedLines(settings.file);

  await requireServicePorts(run, replicas);
  const gatewayPort = await chooseGatewayPort(settings, run);
  run.reservedPorts.add(gatewayPort);
  if (monitoring) await requireMonitoring(run);
  const env = await findResources(run, replicas);
  const statusPort = monitoring ? await freePort() : undefined;
  const fleet = await createFleet({
    env,
    runDir,
    logDir,
    replicas,
    gatewayPort,
    statusPort,
    dieWithParent: true,
    ...run.events,
  });
  run.onStop(() => fleet.stop());

  console.log(`starting ${fleet.instances.length} service processes and Nginx`);
  await fleet.start();
  if (run.isStopping) return;
  const watching = statusPort === undefined ? undefined : await startMonitoring(run, fleet, env, statusPort);
  if (run.isStopping) return;
  run.ready(gatewayPort);
  announce(run, watching);
}

async function refuseSkippedLines(file: string): Promise<void> {
  const { skippedLines } = await import('@shop/core/config'); // large, so other commands start faster without it
  const problems = skippedLines(await readFile(file, 'utf8'), displayPath(file));
  if (problems.length > 0) throw new OperatorError(problems.join('\n'));
}

/** Finds or starts database and Redis, and applies the SQL. @returns the environment for the services */
async function findResources(run: Run, replicas: number): Promise<Env> {
  const { env } = run.settings;
  const connections = positiveNumber(env, 'DB_POOL_SIZE', 25) * serviceNames.length * replicas;
  const [database, redis] = [await findDatabase(run, connections), await findRedis(run)];
  const needs = [database, redis].filter((one): one is Need => one !== undefined && 'create' in one);
  const found = await bringUp(needs, ['nginx'], run);
  const resolved = (one: Found | Need | undefined) => (one && 'create' in one ? found.get(one) : one);

  const db = resolved(database);
  if (!db) throw new OperatorError(noDatabase);
  if (!findProgram('nginx'))
    throw new OperatorError('Nginx is required but not installed: e.g. sudo apt-get install nginx');
  run.record({ name: 'database', kind: 'database', ...db, ...ownIdentity(run, 'database') });
  const cache = resolved(redis);
  if (cache) run.record({ name: 'redis', kind: 'redis', ...cache, ...ownIdentity(run, 'redis') });
  else {
    run.forget('redis');
    console.log('warning: no Redis: nothing is cached, and each process has its own rate limits');
  }

  const config = { ...databaseConfig(env), host: db.host, port: db.port };
  await applySql(config, sqlStepsFor(env));
  const warning = await missingUploadsWarning(config, env);
  if (warning) console.log(warning);
  run.usesDatabase({
    ENV_FILE: run.settings.file,
    DB_HOST: db.host,
    DB_PORT: String(db.port),
    DB_USER: config.user,
    DB_NAME: config.database,
  });
  return {
    ...env,
    ENV_FILE: run.settings.file,
    DB_HOST: db.host,
    DB_PORT: String(db.port),
    ...(cache ? { REDIS_HOST: cache.host, REDIS_PORT: String(cache.port) } : {}),
  };
}

const noDatabase =
  'no database: start Docker, install MariaDB (sudo apt-get install mariadb-server) or MySQL, or point DB_HOST, ' +
  'DB_PORT, DB_USER, DB_PASS and DB_NAME at a running one';

/** The identity that was recorded when the server was spawned. */
function ownIdentity(run: Run, kind: 'database' | 'redis'): { identity?: string | undefined } {
  const entry = run.state.entries.find((one) => one.kind === kind && one.origin === 'ours');
  return entry ? { identity: entry.identity } : {};
}

async function chooseGatewayPort({ env }: Settings, run: Run): Promise<number> {
  if (env.GATEWAY_PORT) {
    const port = portNumber(env, 'GATEWAY_PORT', 80);
    if (run.reservedPorts.has(port))
      throw new OperatorError(`GATEWAY_PORT ${port} is a service's port: choose another`);
    await requirePort(port, 'Nginx', 'GATEWAY_PORT');
    return port;
  }
  const state = await portState(80);
  if (state === 'free') return 80;
  run.log(`Nginx: port 80 is ${state === 'denied' ? 'reserved for root' : `taken${await takenBy(80)}`}; using 8000`);
  await requirePort(8000, 'Nginx', 'GATEWAY_PORT');
  return 8000;
}

/** Checks the ports before anything is started, because a port in use is the most common failure. */
async function requireServicePorts(run: Run, replicas: number): Promise<void> {
  const fleet = await createFleet({ env: run.settings.env, runDir, replicas, gateway: false });
  for (const { name, port, service } of fleet.instances) {
    await requirePort(port, name, portVariable(service));
    run.reservedPorts.add(port);
  }
}

function announce(run: Run, watching: Monitoring | undefined): void {
  const base = gatewayUrl(run.state);
  console.log(`
ready

${entryTable(run.state)}

try next
  curl ${base}/health
  ${base}/docs  in a browser: read and try the whole API
  tail -f ${displayPath(accessLog)}  each request to Nginx; error.log is in the same folder
  npm run journey  a complete purchase, step by step${watching ? watchingLines(watching) : ''}
  ./run-services.sh status  in another terminal; also: stop
Ctrl+C stops everything that this command started.`);
}

const watchingLines = ({ prometheus, alertmanager }: Monitoring): string => `
  http://localhost:${prometheus.port}  Prometheus: firing alerts (Alerts), targets (Status, Targets), any metric (Graph)
  amtool alert --alertmanager.url=http://localhost:${alertmanager.port}  the alerts in Alertmanager`;
