import { mkdir, readFile, rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { findProgram } from '../binaries';
import { applySql } from '../database';
import { type Env, portNumber, positiveNumber, readSettings, type Settings } from '../env';
import { FleetError, operatorMessage } from '../errors';
import { databaseConfig, findDatabase } from '../find-database';
import { findRedis } from '../find-redis';
import { createFleet } from '../fleet';
import { missingUploadsWarning } from '../missing-uploads';
import type { Monitoring } from '../monitoring/monitoring';
import { accessLog, displayPath, logDir, runDir } from '../paths';
import { freePort, portState, requirePort, takenBy } from '../ports';
import { bringUp, type Found, type Need } from '../resources';
import { portVariable, serviceNames } from '../services';
import { gatewayUrl } from '../state';
import { sqlStepsFor } from './db-apply';
import { Run } from './run';
import { requireMonitoring, startMonitoring } from './start-monitoring';
import { entryTable } from './status';

/** Starts everything, says so, and stays until it is told to stop. */
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
      console.error('not started; stopping what was started already');
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

/** run-services.sh refuses wrong arguments, before it installs or builds anything. */
function parseOptions(args: string[]): UpOptions {
  const { values } = parseArgs({
    args,
    options: { replicas: { type: 'string', default: '1' }, monitoring: { type: 'boolean', default: false } },
  });
  return { replicas: Number(values.replicas), monitoring: values.monitoring };
}

/** Resolves to the exit code when a signal has brought everything down. */
function stopOnSignals(run: Run): Promise<number> {
  return new Promise((resolve) => {
    const alive = setInterval(() => undefined, 1 << 30); // should all children die, we still wait to be told
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals) => {
      // `npm run` passes on the Ctrl+C that the terminal has sent us too: two within a moment are one.
      if (firstAt !== undefined) {
        if (signal === 'SIGINT' && Date.now() - firstAt > 500) run.abandon();
        return;
      }
      firstAt = Date.now();
      console.log(`\n${signal}: stopping (Ctrl+C again kills at once)`);
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
  const { skippedLines } = await import('@shop/core/config'); // large: the other commands answer faster without it
  const problems = skippedLines(await readFile(file, 'utf8'), displayPath(file));
  if (problems.length > 0) throw new FleetError(problems.join('\n'));
}

/** Finds or starts database and Redis, applies the SQL, and gives the environment that leads the services there. */
async function findResources(run: Run, replicas: number): Promise<Env> {
  const { env } = run.settings;
  const connections = positiveNumber(env, 'DB_POOL_SIZE', 25) * serviceNames.length * replicas;
  const [database, redis] = [await findDatabase(run, connections), await findRedis(run)];
  const needs = [database, redis].filter((one): one is Need => one !== undefined && 'create' in one);
  const found = await bringUp(needs, ['nginx'], run);
  const resolved = (one: Found | Need | undefined) => (one && 'create' in one ? found.get(one) : one);

  const db = resolved(database);
  if (!db) throw new FleetError(noDatabase);
  if (!findProgram('nginx')) throw new FleetError('Nginx is needed and not installed: e.g. sudo apt-get install nginx');
  run.record({ name: 'database', kind: 'database', ...db, ...ownIdentity(run, 'database') });
  const cache = resolved(redis);
  if (cache) run.record({ name: 'redis', kind: 'redis', ...cache, ...ownIdentity(run, 'redis') });
  else {
    run.forget('redis');
    console.log('warning: no Redis: nothing is cached, and rate limits count in each process for itself');
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
  'DB_PORT, DB_USER, DB_PASS and DB_NAME at one that runs';

/** What was written down when the server was spawned. */
function ownIdentity(run: Run, kind: 'database' | 'redis'): { identity?: string | undefined } {
  const entry = run.state.entries.find((one) => one.kind === kind && one.origin === 'ours');
  return entry ? { identity: entry.identity } : {};
}

async function chooseGatewayPort({ env }: Settings, run: Run): Promise<number> {
  if (env.GATEWAY_PORT) {
    const port = portNumber(env, 'GATEWAY_PORT', 80);
    if (run.reservedPorts.has(port)) throw new FleetError(`GATEWAY_PORT ${port} is a service's port: choose another`);
    await requirePort(port, 'Nginx', 'GATEWAY_PORT');
    return port;
  }
  const state = await portState(80);
  if (state === 'free') return 80;
  run.log(`Nginx: port 80 is ${state === 'denied' ? 'reserved for root' : `taken${await takenBy(80)}`}; it gets 8000`);
  await requirePort(8000, 'Nginx', 'GATEWAY_PORT');
  return 8000;
}

/** Before anything is started: a port that is taken is the commonest reason for failing. */
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
  ${base}/docs  in a browser: the whole API, to read and to try
  tail -f ${displayPath(accessLog)}  each request that Nginx gets; error.log is beside it
  npm run journey  a purchase, step by step${watching ? watchingLines(watching) : ''}
  ./run-services.sh status  in another terminal; also: stop
Ctrl+C stops everything that was started here.`);
}

const watchingLines = ({ prometheus, alertmanager }: Monitoring): string => `
  http://localhost:${prometheus.port}  Prometheus: what fires (Alerts), what is watched (Status, Targets), any figure (Graph)
  amtool alert --alertmanager.url=http://localhost:${alertmanager.port}  what the Alertmanager was told`;
