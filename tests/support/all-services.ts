import { addressService } from '@shop/address';
import { authService } from '@shop/auth';
import type { Endpoint } from '@shop/core/http';
import { fileService } from '@shop/file';
import { productService } from '@shop/product';
import { type ServiceName, serviceNames } from '@shop/shop';
import { storeService } from '@shop/store';
import { transactionService } from '@shop/transaction';
import { startApp, type TestApp } from './test-app';

/** Starts the named service in this process, on a free port. */
export function startNamed(name: ServiceName, env = {}): Promise<TestApp> {
  switch (name) {
    case 'auth':
      return startApp(authService, env);
    case 'product':
      return startApp(productService, env);
    case 'transaction':
      return startApp(transactionService, env);
    case 'address':
      return startApp(addressService, env);
    case 'store':
      return startApp(storeService, env);
    case 'file':
      return startApp(fileService, env);
  }
}

export interface StartedService {
  name: ServiceName;
  app: TestApp;
  endpoints: Endpoint[];
}

/** Starts all six services, for tests that span services. */
export const startAll = (env = {}): Promise<StartedService[]> =>
  Promise.all(
    serviceNames.map(async (name) => {
      const app = await startNamed(name, env);
      return { name, app, endpoints: app.endpoints };
    }),
  );
