import path from 'node:path';
import { type Env, portNumber } from './env';
import { OperatorError } from './errors';
import { type NginxServer, nginxServer } from './nginx';
import { freePort } from './ports';
import { type ServerEvents, StartError } from './server';
import {
  defaultPorts,
  portVariable,
  type ServiceName,
  type ServiceServer,
  serviceNames,
  serviceServer,
} from './services';

export interface FleetOptions extends ServerEvents {
  /** The services' settings. Missing ones come from the process environment and the env file. */
  env: Env;
  /** For logs and Nginx's files. */
  runDir: string;
  /** Per service, or for some services. Default: 1. */
  replicas?: number | Partial<Record<ServiceName, number>> | undefined;
  /**
   * `free`: any free ports. Otherwise AUTH_PORT and so on from `env`, plus 10 for each further replica.
   */
  ports?: 'free' | 'configured' | undefined;
  /** Whether to run Nginx in front. Default: true. */
  gateway?: boolean | undefined;
  gatewayPort?: number | undefined;
  /** A port on loopback for Nginx's own statistics (/stub_status). Default: none. */
  statusPort?: number | undefined;
  /** The IP Nginx listens on. Default: all of this machine. */
  listenAddress?: string | undefined;
  logDir?: string | undefined;
  root?: string | undefined;
  readyTimeoutMs?: number | undefined;
  dieWithParent?: boolean | undefined;
}

export interface Fleet {
  readonly instances: readonly ServiceServer[];
  readonly gateway: NginxServer | undefined;
  /** The gateway's URL, without a trailing slash. */
  readonly url: string;
  instance(service: ServiceName, index?: number): ServiceServer;
  /** Resolves when every /ready and Nginx's /health are 200. If that fails, stops everything again. */
  start(): Promise<void>;
  /** Stops Nginx first, then the services. Each finishes its requests. */
  stop(): Promise<void>;
}

/** The six services with their replicas, and Nginx. Nothing is started yet. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const counts = replicaCounts(options.replicas);
  const processes = serviceNames.reduce((sum, service) => sum + counts[service], 0);
  const logDir = options.logDir ?? path.join(options.runDir, 'logs');
  // The configured number may be larger, if processes elsewhere share the database.
  const known = Number(options.env.FLEET_PROCESSES) || 0;
  const env = { ...options.env, FLEET_PROCESSES: String(Math.max(processes, known)) };
  const { onSpawn, onDeath, dieWithParent, root, readyTimeoutMs } = options;

  const instances: ServiceServer[] = [];
  for (const service of serviceNames) {
    for (let index = 0; index < counts[service]; index++) {
      const port = options.ports === 'free' ? await freePort() : configuredPort(options.env, service, index);
      const logFile = path.join(logDir, `${index === 0 ? service : `${service}-${index + 1}`}.log`);
      instances.push(
        serviceServer({ service, index, port, env, logFile, root, readyTimeoutMs, dieWithParent, onSpawn, onDeath }),
      );
    }
  }
  refuseSharedPorts(instances);

  const gateway = options.gateway === false ? undefined : await gatewayFor(options, instances, logDir);
  let stopped = false;

  const stop = async () => {
    stopped = true;
    await gateway?.stop();
    await Promise.all(instances.map((instance) => instance.stop()));
  };

  return {
    instances,
    gateway,
    get url() {
      if (!gateway) throw new OperatorError('this fleet has no gateway');
      return gateway.url;
    },
    instance: (service, index = 0) => {
      const found = instances.find((one) => one.service === service && one.index === index);
      if (!found) throw new OperatorError(`this fleet has no ${service} number ${index}`);
      return found;
    },
    start: async () => {
      stopped = false;
      try {
        await startAll(instances);
        if (stopped) throw new OperatorError('the fleet was stopped while it was starting');
        await gateway?.start();
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}

interface StartFailure {
  service: ServiceName;
  error: unknown;
}

/** Starts all services concurrently. If several fail, throws one error that lists all problems. */
async function startAll(instances: readonly ServiceServer[]): Promise<void> {
  const failures: StartFailure[] = [];
  const start = (instance: ServiceServer) =>
    instance.start().catch((error: unknown) => failures.push({ service: instance.service, error }));
  await Promise.all(instances.map(start));
  if (failures.length > 0) throw combined(failures);
}

/** Lists each distinct problem once, with the services that have it. */
function combined(failures: StartFailure[]): unknown {
  const services = new Map<string, Set<ServiceName>>();
  for (const { service, error } of failures) {
    if (!(error instanceof StartError)) return error;
    const problems = settingsProblems(error.output);
    if (problems.length === 0) return error;
    for (const problem of problems) services.set(problem, (services.get(problem) ?? new Set()).add(service));
  }
  const namesIn = (found: Set<ServiceName>) => serviceNames.filter((name) => found.has(name)).join(', ');
  const lines = [...services].map(([problem, found]) => `  - ${problem} (${namesIn(found)})`);
  return new OperatorError(`the settings are wrong:\n${lines.join('\n')}`);
}

/** Parses the output of a service with invalid settings: a heading, and one line per problem. */
function settingsProblems(output: string): string[] {
  const [, list = ''] = output.split(/^.*the settings are wrong:$/m);
  return [...list.matchAll(/^ {2}- (.+)$/gm)].map(([, problem = '']) => problem);
}

/** The same, started. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const fleet = await createFleet(options);
  await fleet.start();
  return fleet;
}

function replicaCounts(replicas: FleetOptions['replicas'] = 1): Record<ServiceName, number> {
  const of = (service: ServiceName) => (typeof replicas === 'number' ? replicas : (replicas[service] ?? 1));
  return {
    auth: of('auth'),
    product: of('product'),
    transaction: of('transaction'),
    address: of('address'),
    store: of('store'),
    file: of('file'),
  };
}

const configuredPort = (env: Env, service: ServiceName, index: number): number =>
  portNumber(env, portVariable(service), defaultPorts[service]) + 10 * index;

function refuseSharedPorts(instances: readonly ServiceServer[]): void {
  const users = new Map<number, string>();
  for (const { port, name, service } of instances) {
    const other = users.get(port);
    if (other !== undefined) {
      throw new OperatorError(`${other} and ${name} both use port ${port}: change ${portVariable(service)}`);
    }
    users.set(port, name);
  }
}

async function gatewayFor(
  options: FleetOptions,
  instances: readonly ServiceServer[],
  logDir: string,
): Promise<NginxServer> {
  const addresses = (service: ServiceName) => {
    const own = instances.filter((one) => one.service === service).map(({ host, port }) => `${host}:${port}`);
    return own.length > 0 ? own : [`127.0.0.1:${configuredPort(options.env, service, 0)}`];
  };
  return nginxServer({
    runDir: path.join(options.runDir, 'nginx'),
    port: options.gatewayPort ?? (await freePort()),
    statusPort: options.statusPort,
    ...(options.listenAddress === undefined ? {} : { listenAddress: options.listenAddress }),
    upstreams: {
      auth: addresses('auth'),
      product: addresses('product'),
      transaction: addresses('transaction'),
      address: addresses('address'),
      store: addresses('store'),
      file: addresses('file'),
    },
    limits: options.env,
    appEnv: options.env.APP_ENV,
    corsOrigins: options.env.CORS_ORIGINS,
    logFile: path.join(logDir, 'nginx.log'),
    dieWithParent: options.dieWithParent,
    onSpawn: options.onSpawn,
    onDeath: options.onDeath,
  });
}
