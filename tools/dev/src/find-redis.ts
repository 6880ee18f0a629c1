import path from 'node:path';
import { dataDir, portNumber, probeRedis, type RedisSettings, redisServer, secret } from '@shop/test-servers';
import { logDir } from './dev-paths';
import { type Found, isLoopback, type Need, portNear } from './resources';
import type { Session } from './session';

export function redisConfig(env: Record<string, string>): RedisSettings {
  return {
    host: env.REDIS_HOST ?? '127.0.0.1',
    port: portNumber(env, 'REDIS_PORT', 6379),
    password: secret(env, 'REDIS_PASSWORD'),
  };
}

/**
 * Finds the Redis of the settings, or describes how to start one on this machine. Returns undefined if none is available or
 * wanted. The shop works without it, so nothing here is an error.
 */
export async function findRedis(session: Session): Promise<Found | Need | undefined> {
  const { settings } = session;
  const config = redisConfig(settings.env);
  if (config.host === '') {
    session.log('Redis: none, because REDIS_HOST is empty');
    return undefined;
  }
  const probe = await probeRedis(config);
  if (probe.state === 'answers') {
    session.log(`Redis: using the running one at ${config.host}:${config.port}`);
    return { host: config.host, port: config.port, origin: 'given' };
  }
  const local = (settings.env.APP_ENV || 'local') === 'local';
  const named = settings.isExplicit('REDIS_HOST', 'REDIS_PORT');
  if (!local || (named && (probe.state !== 'absent' || !isLoopback(config.host)))) {
    session.log(`warning: ${probe.message}; the shop runs without it`);
    return undefined;
  }
  session.log(`Redis: ${probe.message}; trying the next option`);

  const port = await portNear(config.port, 'Redis', session);
  const own = { ...config, host: '127.0.0.1', port };
  return {
    kind: 'redis',
    title: 'Redis',
    container: 'redis',
    program: 'redis',
    port,
    optional: true,
    env: { REDIS_PORT: String(port), REDIS_PASSWORD: own.password },
    answers: async () => (await probeRedis(own)).state === 'answers',
    create: () =>
      redisServer({
        port,
        password: own.password,
        dir: path.join(dataDir, 'redis'),
        config: { maxmemory: '128mb', 'maxmemory-policy': 'allkeys-lru' },
        logFile: path.join(logDir, 'redis.log'),
        dieWithParent: true,
        ...session.events,
      }),
  };
}
