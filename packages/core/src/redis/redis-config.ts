import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import { type Address, type Env, secretOf, setting, type TlsConfig } from '../config';

/** Sentinels tell which server is the current master. */
interface Sentinels {
  sentinels: Address[];
  masterName: string;
  password: () => string | undefined;
}

export interface RedisConfig {
  server: Address | Sentinels;
  /** undefined: the user `default`. */
  user?: string | undefined;
  /** Asked for each new connection. */
  password: () => string | undefined;
  /** undefined: plain text. */
  tls?: TlsConfig | undefined;
}

/** Where Redis is and how to log in. Without REDIS_HOST and REDIS_SENTINELS there is no Redis. */
export const redisSettings = z
  .object({
    REDIS_HOST: z.string().optional(),
    REDIS_PORT: setting.port.default(6379),
    REDIS_USER: z.string().optional(),
    REDIS_PASSWORD: z.string().optional(),
    REDIS_TLS: setting.tls,
    REDIS_SENTINELS: setting.addressList(26_379).optional(),
    REDIS_SENTINEL_NAME: z.string().optional(),
    REDIS_SENTINEL_PASSWORD: z.string().optional(),
  })
  .refine(({ REDIS_SENTINELS, REDIS_SENTINEL_NAME }) => !REDIS_SENTINELS || REDIS_SENTINEL_NAME, {
    path: ['REDIS_SENTINEL_NAME'],
    error: 'is required with REDIS_SENTINELS: the name of the master that they watch',
  })
  .refine(({ REDIS_USER, REDIS_PASSWORD }) => !REDIS_USER || REDIS_PASSWORD, {
    path: ['REDIS_PASSWORD'],
    error: 'is required with REDIS_USER',
  });

/** @param env for the passwords, which may change while the process runs */
export function redisConfigOf(settings: z.output<typeof redisSettings>, env: Env): RedisConfig | undefined {
  const { REDIS_HOST, REDIS_PORT, REDIS_SENTINELS, REDIS_SENTINEL_NAME = '' } = settings;
  const rest = { user: settings.REDIS_USER, password: secretOf(env, 'REDIS_PASSWORD'), tls: settings.REDIS_TLS };
  if (REDIS_SENTINELS) {
    const password = secretOf(env, 'REDIS_SENTINEL_PASSWORD');
    return { server: { sentinels: REDIS_SENTINELS, masterName: REDIS_SENTINEL_NAME, password }, ...rest };
  }
  return REDIS_HOST ? { server: { host: REDIS_HOST, port: REDIS_PORT }, ...rest } : undefined;
}

/** ioredis's options for the server and its TLS. Node.js verifies the certificate for the host name or IP address. */
export function serverOptions({ server, tls }: Pick<RedisConfig, 'server' | 'tls'>) {
  const trust: ConnectionOptions = tls?.ca === undefined ? {} : { ca: tls.ca };
  if ('sentinels' in server) {
    return {
      sentinels: server.sentinels,
      name: server.masterName,
      // Only the configured ones: others that the sentinels know may have addresses that are not reachable from here.
      updateSentinels: false,
      ...(tls ? { tls: trust, sentinelTLS: trust, enableTLSForSentinelMode: true } : {}),
    };
  }
  // For servers behind a proxy that chooses by name (SNI).
  const name = isIP(server.host) ? {} : { servername: server.host };
  return { ...server, ...(tls ? { tls: { ...trust, ...name } } : {}) };
}

/** ioredis's options for the login, with the passwords of this moment. */
export function loginOptions({ server, user, password }: RedisConfig) {
  const secret = password();
  const sentinelSecret = 'sentinels' in server ? server.password() : undefined;
  return {
    ...(user === undefined ? {} : { username: user }),
    ...(secret === undefined ? {} : { password: secret }),
    ...(sentinelSecret === undefined ? {} : { sentinelPassword: sentinelSecret }),
  };
}

/** For log lines. */
export const describeServer = ({ server }: RedisConfig): Record<string, unknown> =>
  'sentinels' in server
    ? { master: server.masterName, sentinels: server.sentinels.map(({ host, port }) => `${host}:${port}`) }
    : { host: server.host, port: server.port };
