import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Env } from '@shop/core/config';
import { createAppServer } from '@shop/core/http';
import { createLogger } from '@shop/core/log';
import { buildService, type Resources, type RunningApp, type ServiceDefinition } from '@shop/core/service';
import { serviceNames, services } from '@shop/shop';
import request from 'supertest';
import type { z } from 'zod';
import { ownLoginOf } from './own-users';

export const JWT_SECRET = 'a-secret-for-tests-only-0123456789abcdef';

/** Settings of a service under test: the suite's servers and a practically unlimited rate limit. */
export function testEnv(overrides: Env = {}): Env {
  return {
    APP_ENV: 'local',
    LOG_LEVEL: 'silent',
    ...Object.fromEntries(Object.values(services).map(({ portVariable }) => [portVariable, '1'])),
    DB_HOST: process.env.SHOP_TEST_DB_HOST,
    DB_PORT: process.env.SHOP_TEST_DB_PORT,
    DB_USER: process.env.SHOP_TEST_DB_USER,
    DB_PASS: process.env.SHOP_TEST_DB_PASS,
    DB_NAME: process.env.SHOP_TEST_DB_NAME,
    DB_POOL_SIZE: '10',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: process.env.SHOP_TEST_REDIS_PORT,
    JWT_SECRET,
    RATE_LIMIT_PER_SECOND: '1000000',
    RATE_LIMIT_BURST: '1000000',
    UPLOAD_PATH: process.env.SHOP_TEST_UPLOADS,
    ...overrides,
  };
}

export interface TestApp extends RunningApp {
  /** supertest bound to the listening app. */
  http: ReturnType<typeof request>;
  url: string;
}

/** A statement beyond the service's rights fails in its own tests. Other databases than the suite's have only their owner. */
function databaseUserOf(name: string, overrides: Env): Env {
  const service = serviceNames.find((one) => one === name);
  return !service || 'DB_USER' in overrides || 'DB_NAME' in overrides ? {} : ownLoginOf(service);
}

/** Starts a service on a free port, with its own database user. Close it in afterAll. */
export async function startApp<T extends z.ZodObject, C extends Resources>(
  definition: ServiceDefinition<T, C>,
  overrides: Env = {},
  logger = createLogger(definition.name, 'silent'),
): Promise<TestApp> {
  const running = buildService(
    definition,
    testEnv({ ...databaseUserOf(definition.name, overrides), ...overrides }),
    logger,
  );
  const server = createAppServer(running.app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await running.resources.redis.firstAttempt();
  return {
    ...running,
    http: request(server),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await running.close();
    },
  };
}
