import path from 'node:path';
import type { Env } from '@shop/core/config';
import { ownLogin } from '@shop/shop/services';
import { OperatorError } from './errors';
import { type NginxServer, nginxServer } from './nginx';
import { freePort } from './ports';
import { type ServerEvents, StartError } from './server';
import {
  forEachService,
  replicaName,
  type ServiceName,
  type ServiceServer,
  serviceNames,
  serviceServer,
} from './services';

export interface FleetOptions extends ServerEvents {
  /** The services' settings, with each service's own database user if they name some. Missing ones come from the process environment and the env file. */
  env: Env;
  /** For logs and Nginx's files. */
  runDir: string;
  /** Per service, or for some services. Default: 1. */
  replicas?: number | Partial<Record<ServiceName, number>> | undefined;
  /** The first replica's ports; each further one adds 10. Default: any free ports. */
  ports?: Record<ServiceName, number> | undefined;
  /** Default: any free port. */
  gatewayPort?: number | undefined;
  /** A port on loopback for Nginx's own statistics (/stub_status). Default: none. */
  statusPort?: number | undefined;
  /** The IP Nginx listens on. Default: all of this machine. */
  listenAddress?: string | undefined;
  logDir?: string | undefined;
  dieWithParent?: boolean | undefined;
}

export interface Fleet {
  readonly instances: readonly ServiceServer[];
  readonly gateway: NginxServer;
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
  const { replicas = 1, ports, dieWithParent, onDeath } = options;
  const countOf = (service: ServiceName) => (typeof replicas === 'number' ? replicas : (replicas[service] ?? 1));
  const processes = serviceNames.reduce((sum, service) => sum + countOf(service), 0);
  const logDir = options.logDir ?? path.join(options.runDir, 'logs');
  // The configured number may be larger, if processes elsewhere share the database.
  const known = Number(options.env.FLEET_PROCESSES) || 0;
  const env = { ...options.env, FLEET_PROCESSES: String(Math.max(processes, known)) };

  const instances: ServiceServer[] = [];
  for (const service of serviceNames) {
    for (let index = 0; index < countOf(service); index++) {
      const port = ports ? ports[service] + 10 * index : await freePort();
      const logFile = path.join(logDir, `${replicaName(service, index)}.log`);
      const ownEnv = { ...env, ...ownLogin(service, env) };
      instances.push(serviceServer({ service, index, port, env: ownEnv, logFile, dieWithParent, onDeath }));
    }
  }
  const gateway = nginxServer({
    runDir: path.join(options.runDir, 'nginx'),
    port: options.gatewayPort ?? (await freePort()),
    statusPort: options.statusPort,
    ...(options.listenAddress === undefined ? {} : { listenAddress: options.listenAddress }),
    upstreams: forEachService((service) =>
      instances.filter((one) => one.service === service).map(({ host, port }) => `${host}:${port}`),
    ),
    limits: options.env,
    appEnv: options.env.APP_ENV,
    corsOrigins: options.env.CORS_ORIGINS,
    logFile: path.join(options.runDir, 'nginx/logs/error.log'), // the same as in its configuration
    dieWithParent,
    onDeath,
  });
  let stopped = false;

  const stop = async () => {
    stopped = true;
    await gateway.stop();
    await Promise.all(instances.map((instance) => instance.stop()));
  };

  return {
    instances,
    gateway,
    url: gateway.url,
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
        await gateway.start();
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
