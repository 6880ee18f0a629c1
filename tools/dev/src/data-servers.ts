import path from 'node:path';
import {
  createDatabase,
  dataDir,
  findProgram,
  installPrograms,
  messageOf,
  mysqlServer,
  nextFreePort,
  OperatorError,
  type Program,
  probeDatabase,
  probeRedis,
  redisServer,
  requireProgram,
  type Server,
  until,
} from '@shop/test-servers';
import { composeStop, composeUp, dockerAnswers, dockerLog } from './docker';
import type { Run } from './run';
import { databaseOf, redisOf, variablesOf } from './settings';
import { containerOf, logDir } from './state';

/** The database or Redis: how to recognize one that runs, and how to start one on this machine. */
interface DataServer {
  name: 'database' | 'redis';
  title: string;
  program: Program;
  prefix: 'DB' | 'REDIS';
  /** Variables that choose a server. */
  variables: string[];
  /** The default in .env.local. If another program uses that port by chance, ours uses the next free one. */
  shippedAddress: string;
  probe: () => Promise<{ state: string; message?: string; version?: string }>;
  create: () => Promise<Server>;
}

const ownServer = ({ events }: Run, name: string, dir = name) => ({
  dir: path.join(dataDir, dir),
  logFile: path.join(logDir, `${name}.log`),
  dieWithParent: true,
  ...events,
});

const theDatabase = (run: Run, connections: number): DataServer => ({
  name: 'database',
  title: 'database',
  program: 'mysql',
  prefix: 'DB',
  variables: ['DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME'],
  shippedAddress: '127.0.0.1:3307',
  probe: async () => {
    const settings = databaseOf(run.settings);
    const probe = await probeDatabase(settings);
    const isCreated = probe.state === 'no-database' && run.isLocal && (await createDatabase(settings));
    return isCreated ? probeDatabase(settings) : probe;
  },
  create: () =>
    mysqlServer({
      ...databaseOf(run.settings),
      ...ownServer(run, 'database', 'db'),
      maxConnections: Math.max(200, connections + 20),
      bufferPoolMiB: 128,
      binaryLog: true,
    }),
});

const theRedis = (run: Run): DataServer => ({
  name: 'redis',
  title: 'Redis',
  program: 'redis',
  prefix: 'REDIS',
  variables: ['REDIS_HOST', 'REDIS_PORT'],
  shippedAddress: '127.0.0.1:6379',
  probe: () => probeRedis(redisOf(run.settings)),
  create: () =>
    redisServer({
      ...redisOf(run.settings),
      ...ownServer(run, 'redis'),
      config: { maxmemory: '128mb', 'maxmemory-policy': 'allkeys-lru' },
    }),
});

/**
 * Uses the database and Redis of the settings if they run. Starts them in Docker if available, otherwise from programs on this
 * machine, which are installed where possible; `also` lists more programs that are required. What runs in the end has an entry.
 */
export async function findOrStart(run: Run, connections: number, also: Program[]): Promise<void> {
  let missing: DataServer[] = [];
  const hasRedis = run.settings.REDIS_HOST !== '';
  if (!hasRedis) run.log('Redis: none, because REDIS_HOST is empty');
  for (const server of [theDatabase(run, connections), ...(hasRedis ? [theRedis(run)] : [])]) {
    if (await mustStart(run, server)) missing.push(server);
  }
  if (missing.length > 0 && (await dockerAnswers()) && (await startInDocker(run, missing))) missing = [];
  const problem = await installPrograms([...missing.map(({ program }) => program), ...also], run.log);
  if (problem !== undefined) run.log(problem);
  for (const server of missing) if (findProgram(server.program)) await startHere(run, server);
  if (!run.entry('database')) throw new OperatorError(noDatabase);
  if (!run.entry('redis')) {
    run.log('warning: no Redis: nothing is cached, and each process has its own rate limits');
  }
  for (const program of also) requireProgram(program);
}

const noDatabase =
  'no database: start Docker, install MariaDB (sudo apt-get install mariadb-server) or MySQL, or point DB_HOST, ' +
  'DB_PORT, DB_USER, DB_PASS and DB_NAME at a running one';

/**
 * Whether none runs at the address of the settings and one may be started instead. Not outside the local environment, and not
 * if the user chose a server on another machine or one that rejects the login: an empty one would look like lost data.
 */
async function mustStart(run: Run, { name, title, prefix, ...server }: DataServer): Promise<boolean> {
  const { settings } = run;
  const [host, port] = [settings[`${prefix}_HOST`], settings[`${prefix}_PORT`]];
  const { state, version, message } = await server.probe();
  if (state === 'answers') {
    run.log(`${title}: using the running one at ${host}:${port}${version ? ` (${version})` : ''}`);
    run.record({ name, kind: name, host, port, origin: 'given' });
    return false;
  }
  const isNamed = server.variables.some((variable) => process.env[variable]);
  const isChosen = isNamed || `${host}:${port}` !== server.shippedAddress;
  if (!run.isLocal || (isNamed && !isLoopback(host)) || (isChosen && state !== 'absent')) {
    const problem = `${message}${run.isLocal ? '' : `. APP_ENV=${settings.APP_ENV} does not start a ${name}`}`;
    if (name === 'database') throw new OperatorError(problem);
    run.log(`warning: ${problem}; the shop runs without it`);
    return false;
  }
  run.log(`${title}: ${message}; trying the next option`);
  settings[`${prefix}_HOST`] = '127.0.0.1';
  settings[`${prefix}_PORT`] = await nextFreePort(port, title, run.log);
  return true;
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

async function startInDocker(run: Run, servers: DataServer[]): Promise<boolean> {
  const containers = servers.map(({ name }) => containerOf[name]);
  run.log(`starting ${containers.join(' and ')} in Docker; the first time this downloads their images`);
  for (const { name, prefix } of servers) {
    const port = run.settings[`${prefix}_PORT`];
    run.record({ name, kind: name, host: '127.0.0.1', port, origin: 'docker', log: dockerLog });
  }
  run.onStop(() => composeStop(containers));
  try {
    await composeUp(containers, variablesOf(run.settings));
    // Docker may run on another machine, or an old volume may have another password.
    for (const { title, prefix, probe } of servers) {
      const answers = async () => (await probe()).state === 'answers';
      await until(answers, { timeoutMs: 15_000, everyMs: 200, what: `${title} in Docker` });
      run.log(`${title}: a Docker container at 127.0.0.1:${run.settings[`${prefix}_PORT`]}`);
    }
    return true;
  } catch (error) {
    run.log(`Docker cannot start them (${messageOf(error)}); trying the next option`);
    await composeStop(containers);
    for (const { name } of servers) run.forget(name);
    return false;
  }
}

async function startHere(run: Run, { name, title, create }: DataServer): Promise<void> {
  const server = await create();
  run.onStop(() => server.stop());
  run.recordServer(server, name, { name });
  try {
    await server.start();
    run.log(`${title}: started our own ${server.name} at 127.0.0.1:${server.port}`);
  } catch (error) {
    if (name === 'database') throw error;
    run.log(`warning: ${messageOf(error)}`);
    run.forget(name);
  }
}
