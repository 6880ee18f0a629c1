import path from 'node:path';
import type { Env } from './env';
import { repoRoot } from './paths';
import { type Server, type ServerEvents, server } from './server';
import { httpStatus } from './wait';

export const serviceNames = ['auth', 'product', 'transaction', 'address', 'store', 'file'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Where each listens unless told otherwise. */
export const defaultPorts: Record<ServiceName, number> = {
  auth: 8080,
  product: 8081,
  transaction: 8082,
  address: 8083,
  store: 8084,
  file: 8085,
};

export const portVariable = (service: ServiceName): string => `${service.toUpperCase()}_PORT`;

export interface ServiceOptions extends ServerEvents {
  service: ServiceName;
  /** Which replica, from 0. */
  index: number;
  port: number;
  /** Its settings, without its port. PATH and the like come from this process; NODE_ENV is `production`, as in the image. */
  env: Env;
  logFile: string;
  /** Where `services/` is. */
  root?: string | undefined;
  readyTimeoutMs?: number | undefined;
  dieWithParent?: boolean | undefined;
}

export interface ServiceServer extends Server {
  readonly service: ServiceName;
  readonly index: number;
  readonly url: string;
}

/** One service process; not started yet. Ready when /ready is 200. */
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
    stopGraceMs: 12_000, // a service promises to drain within 10 s
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
