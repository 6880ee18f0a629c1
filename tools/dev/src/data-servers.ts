import { spawnSync } from 'node:child_process';
import path from 'node:path';
import {
  createDatabase,
  dataDir,
  installPrograms,
  messageOf,
  mysqlServer,
  nextFreePort,
  OperatorError,
  type Program,
  probeDatabase,
  probeRedis,
  redisServer,
  repoRoot,
  type Server,
  server,
} from '@shop/test-servers';
import type { Run } from './run';
import { databaseOf, redisOf, variablesOf } from './settings';
import { logDir } from './state';

/** The database or Redis: how to recognize one that runs, and how to start one on this machine. */
interface DataServer {
  /** Also of its folder in .data/ and of its service in docker-compose.yml. */
  name: 'db' | 'redis';
  prefix: 'DB' | 'REDIS';
  program: Program;
  /** The default in .env.local. If another program uses that port by chance, ours uses the next free one. */
  shippedAddress: string;
  probe: () => Promise<{ state: string; message?: string; version?: string }>;
  create: () => Promise<Server>;
}

const ownServer = (run: Run, name: DataServer['name']) => ({
  dir: path.join(dataDir, name),
  logFile: path.join(logDir, `${name}.log`),
  ...run.serverOptions,
});

const theDatabase = (run: Run, connections: number): DataServer => ({
  name: 'db',
  prefix: 'DB',
  program: 'mysql',
  shippedAddress: '127.0.0.1:3307',
  probe: async () => {
    const settings = databaseOf(run.settings);
    const probe = await probeDatabase(settings);
    const isCreated = probe.state === 'no-database' && run.settings.isLocal && (await createDatabase(settings));
    return isCreated ? probeDatabase(settings) : probe;
  },
  create: () =>
    mysqlServer({
      ...databaseOf(run.settings),
      ...ownServer(run, 'db'),
      maxConnections: connections + 50,
      binaryLog: true,
    }),
});

const theRedis = (run: Run): DataServer => ({
  name: 'redis',
  prefix: 'REDIS',
  program: 'redis',
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
 * machine, which are installed where possible together with `also`. What runs in the end has an entry.
 */
export async function findOrStart(run: Run, connections: number, also: Program[]): Promise<void> {
  const wanted: DataServer[] = [];
  const { REDIS_SENTINELS: sentinels } = run.settings.env;
  const servers = [theDatabase(run, connections), ...(sentinels ? [] : [theRedis(run)])];
  for (const one of servers) if (await mustStart(run, one)) wanted.push(one);
  const missing = () => wanted.filter(({ name }) => !run.has(name));
  if (wanted.length > 0 && dockerAnswers()) await startEach(run, wanted, 'started in Docker', container);
  await installPrograms([...missing().map(({ program }) => program), ...also], console.log);
  await startEach(run, missing(), 'started by us', ({ create }) => create());
  if (!run.has('db')) throw new OperatorError(noDatabase);
  if (!run.has('redis') && !sentinels) console.log('warning: no Redis: no cache, and rate limits for each process');
}

const noDatabase =
  'no database, as described above: start Docker, install MariaDB (sudo apt-get install mariadb-server) or MySQL, or point ' +
  'DB_HOST, DB_PORT, DB_USER, DB_PASS and DB_NAME at a running one';

/**
 * Whether none runs at the address of the settings and one may be started instead. Not outside the local environment, and not
 * if the user chose a server on another machine, one with TLS, or one that rejects the login: an empty one would look like lost
 * data.
 */
async function mustStart(run: Run, { name, prefix, shippedAddress, probe }: DataServer): Promise<boolean> {
  const { settings } = run;
  const [host, port] = [settings[`${prefix}_HOST`], settings[`${prefix}_PORT`]];
  if (host === '') return false;
  const { state, version, message } = await probe();
  if (state === 'answers') {
    console.log(`${name}: using the running one at ${host}:${port}${version ? ` (${version})` : ''}`);
    run.state.entries.push({ name, host, port, origin: 'already running' });
    return false;
  }
  const isNamed = ['HOST', 'PORT', 'USER', 'PASS', 'NAME'].some((key) => process.env[`${prefix}_${key}`]);
  const isChosen = isNamed || `${host}:${port}` !== shippedAddress;
  const isLoopback = /^(localhost$|::1$|127\.)/.test(host);
  if (!settings.isLocal || settings[`${prefix}_TLS`] || (isChosen && !(state === 'absent' && isLoopback))) {
    const problem = `${message}${settings.isLocal ? '' : `. APP_ENV=${settings.APP_ENV} does not start one`}`;
    if (name === 'db') throw new OperatorError(problem);
    console.log(`warning: ${problem}`);
    return false;
  }
  console.log(`${name}: ${message}; trying the next option`);
  settings[`${prefix}_HOST`] = '127.0.0.1';
  settings[`${prefix}_PORT`] = await nextFreePort(port, name, console.log);
  return true;
}

/** Whether a Docker engine responds. One that hangs counts as absent. */
const dockerAnswers = (): boolean => spawnSync('docker', ['version'], { timeout: 5000 }).status === 0;

type Way = (one: DataServer, run: Run) => Server | Promise<Server>;

async function startEach(run: Run, servers: DataServer[], origin: string, way: Way): Promise<void> {
  for (const one of servers) {
    try {
      const server = await way(one, run);
      await run.start(server, [server], { name: one.name, origin });
      console.log(`${one.name}: started ${server.name} at 127.0.0.1:${server.port}`);
    } catch (error) {
      if (run.stopping) throw error;
      console.log(`${one.name}: ${messageOf(error)}`);
    }
  }
}

/** A service of docker-compose.yml. Its data is in a volume. */
function container({ name, prefix, probe }: DataServer, run: Run): Server {
  const port = run.settings[`${prefix}_PORT`];
  return server({
    name: `the Docker container ${name}`,
    host: '127.0.0.1',
    port,
    ...ownServer(run, name),
    readyTimeoutMs: 600_000, // the first time this downloads its image
    stopGraceMs: 60_000,
    ready: async () => {
      const { state, message } = await probe();
      // An old volume may have another user or password.
      if (state === 'denied' || state === 'no-database') throw new OperatorError(`${message}`);
      return state === 'answers';
    },
    launch: async () => ({
      command: path.join(repoRoot, 'scripts/container.sh'),
      args: [name, String(port)],
      env: { ...process.env, ...variablesOf(run.settings) },
      dieWithParent: true,
      deathSignal: 'TERM',
    }),
  });
}
