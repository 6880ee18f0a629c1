import path from 'node:path';
import type { Env } from '@shop/core/config';
import { loginVariables, type ServiceName, serviceNames, services } from '@shop/shop/services';
import { repoRoot } from './paths';
import { type Server, type ServerEvents, server } from './server';

export { loginVariables, type ServiceName, serviceNames };

/** One value for each service. */
export const forEachService = <T>(of: (service: ServiceName) => T): Record<ServiceName, T> =>
  Object.fromEntries(serviceNames.map((service) => [service, of(service)])) as Record<ServiceName, T>;

/** The services' default ports. */
export const defaultPorts: Readonly<Record<ServiceName, number>> = forEachService((service) => services[service].port);

export const portVariable = (service: ServiceName): string => services[service].portVariable;

/** `auth`, `auth-2`, … */
export const replicaName = (service: ServiceName, index: number): string =>
  index === 0 ? service : `${service}-${index + 1}`;

export interface ServiceOptions extends ServerEvents {
  service: ServiceName;
  /** Which replica, from 0. */
  index: number;
  port: number;
  /** Its settings without its port. PATH and so on come from this process; NODE_ENV is `production`, as in the image. */
  env: Env;
  logFile: string;
  dieWithParent?: boolean | undefined;
}

/** A compiled checkout of this repository. */
export interface Release {
  folder: string;
  /** The label of its metrics (`shop_build_info`). Default: the setting GIT_REVISION. */
  revision?: string;
}

export interface ServiceServer extends Server {
  readonly service: ServiceName;
  readonly index: number;
  readonly url: string;
  /** What its next start runs, as after a change of its image. Default: this checkout. */
  release: Release;
}

/** One service process, not started yet. Ready when /ready is 200. */
export function serviceServer(options: ServiceOptions): ServiceServer {
  const { service, index, port } = options;
  const url = `http://127.0.0.1:${port}`;
  const base = server({
    name: replicaName(service, index),
    host: '127.0.0.1',
    port,
    logFile: options.logFile,
    stopGraceMs: 12_000, // a service exits within 10 s
    healthUrl: `${url}/ready`,
    launch: async () => {
      const { folder, revision } = self.release;
      return {
        command: process.execPath,
        args: [path.join(folder, 'services', service, 'dist/main.js')],
        cwd: folder,
        env: {
          // From Node 22 on, Node keeps compiled code there, for the next start.
          NODE_COMPILE_CACHE: path.join(folder, 'node_modules/.cache/v8'),
          ...process.env,
          ...options.env,
          ...(revision === undefined ? {} : { GIT_REVISION: revision }),
          NODE_ENV: 'production',
          [portVariable(service)]: String(port),
        },
        dieWithParent: options.dieWithParent,
      };
    },
    onDeath: options.onDeath,
  });
  const self = Object.assign(base, { service, index, url, release: { folder: repoRoot } as Release });
  return self;
}
