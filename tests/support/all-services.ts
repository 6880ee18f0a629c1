import type { Endpoint } from '@shop/core/http';
import { type ServiceName, serviceNames } from '@shop/shop';
import { startApp, type TestApp } from './test-app';

/** Starts the named service in this process, on a free port. */
export function startNamed(name: ServiceName, env = {}): Promise<TestApp> {
  const definition: Parameters<typeof startApp>[0] = require(`@shop/${name}`)[`${name}Service`];
  return startApp(definition, env);
}

export interface StartedService {
  name: ServiceName;
  app: TestApp;
  endpoints: Endpoint[];
}

/** Starts all services, for tests that span services. */
export const startAll = (env = {}): Promise<StartedService[]> =>
  Promise.all(
    serviceNames.map(async (name) => {
      const app = await startNamed(name, env);
      return { name, app, endpoints: app.endpoints };
    }),
  );
