import path from 'node:path';
import { type ServiceName, serviceNames, services } from '@shop/shop/services';
import type { Env } from './env';
import { repoRoot } from './paths';
import { type Server, type ServerEvents, server } from './server';
import { httpStatus } from './wait';

export { type ServiceName, serviceNames };

/** The services' default ports. */
export const defaultPorts: Readonly<Record<ServiceName, number>> = {
  auth: services.auth.port,
  product: services.product.port,
  transaction: services.transaction.port,
  address: services.address.port,
  store: services.store.port,
  file: services.file.port,
};

export const portVariable = (service: ServiceName): string => services[service].portVariable;

export interface ServiceOptions extends ServerEvents {
  service: ServiceName;
  /** Which replica, from 0. */
  index: number;
  port: number;
  /** Its settings without its port. PATH and so on come from this process; NODE_ENV is `production`, as in the image. */
  env: Env;
  logFile: string;
  /** The folder that contains `services/`. */
  root?: string | undefined;
  readyTimeoutMs?: number | undefined;
  dieWithParent?: boolean | undefined;
}

export interface ServiceServer extends Server {
  readonly service: ServiceName;
  readonly index: number;
  readonly url: string;
}

/** One service process, not started yet. Ready when /ready is 200. */
export function serviceServer(options: ServiceOptions): ServiceServer {
  const { service, index, port } = options;
  const root = options.root ?? repoRoot;
  const url = `http://127.0.0.1:${port}`;
  const base = server({
    name: index === 0 ? service : `${service}-${index + 1}`,
    host: '127.0.0.1',
    port,
    logFile: options.logFile,
    readyTimeoutMs: options.readyTimeoutMs,
    stopGraceMs: 12_000, // a service exits within 10 s
    ready: async () => (await httpStatus(`${url}/ready`)) === 200,
    launch: async () => ({
      command: process.execPath,
      args: [path.join(root, 'services', service, 'dist/main.js')],
      cwd: root,
      env: { ...process.env, ...options.env, NODE_ENV: 'production', [portVariable(service)]: String(port) },
      dieWithParent: options.dieWithParent,
    }),
    onSpawn: options.onSpawn,
    onDeath: options.onDeath,
  });
  return Object.assign(base, { service, index, url });
}
