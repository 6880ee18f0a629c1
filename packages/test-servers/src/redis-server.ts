import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TlsConfig } from '@shop/core/config';
import { serverOptions } from '@shop/core/redis';
import { withTimeout } from '@shop/core/time';
import { Redis } from 'ioredis';
import { requireProgram } from './binaries';
import { codeOf, messageOf } from './errors';
import { freePort, isUnreachable, portAnswers } from './ports';
import { type Server, type ServerEvents, server } from './server';

export interface RedisSettings {
  host: string;
  port: number;
  password: string;
  /** Absent: the user `default`. */
  user?: string | undefined;
  /** Absent: plain text. */
  tls?: TlsConfig | undefined;
}

export type RedisProbe = { state: 'answers' } | { state: 'absent' | 'denied' | 'other'; message: string };

/** Logs in and pings. Never throws, and takes about `timeoutMs` at most. */
export async function probeRedis(
  { host, port, password, user, tls }: RedisSettings,
  timeoutMs = 1500,
): Promise<RedisProbe> {
  const redis = new Redis({
    ...serverOptions({ server: { host, port }, tls }),
    ...(user === undefined ? {} : { username: user }),
    ...(password === '' ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
  });
  const at = `${host}:${port}`;
  // ioredis reports a rejected login or connection only here; the pending promise fails with "closed".
  let reason: unknown;
  redis.on('error', (error) => {
    reason ??= error;
  });
  try {
    const pong = await withTimeout(
      redis.connect().then(() => redis.ping()),
      timeoutMs,
      () => undefined,
    );
    if (pong === 'PONG') return { state: 'answers' };
    return { state: 'other', message: `the server at ${at} (REDIS_HOST, REDIS_PORT) does not respond as a Redis` };
  } catch (error) {
    const cause = reason ?? error;
    const message = messageOf(cause);
    if (/WRONGPASS|NOAUTH|NOPERM|invalid password|without any password/i.test(message)) {
      return { state: 'denied', message: `the Redis at ${at} rejects REDIS_PASSWORD: ${message}` };
    }
    return {
      state: isUnreachable(cause) ? 'absent' : 'other',
      message: (await portAnswers(port, host))
        ? `the server at ${at} (REDIS_HOST, REDIS_PORT) does not respond as a Redis: ${message}`
        : `nothing listens at ${at} (REDIS_HOST, REDIS_PORT): ${codeOf(cause) ?? message}`,
    };
  } finally {
    redis.disconnect();
  }
}

export interface RedisOptions extends ServerEvents {
  /** For its configuration, data and (unless logFile is set) log. */
  dir: string;
  port?: number;
  /** Empty or absent: no password. */
  password?: string;
  /** Keeps data across restarts. Default: false, because it is a cache. */
  appendonly?: boolean;
  /** More lines of redis.conf, e.g. `{ maxmemory: '5mb' }`. */
  config?: Record<string, string>;
  logFile?: string | undefined;
  dieWithParent?: boolean | undefined;
}

export interface RedisServer extends Server {
  readonly password: string;
  readonly settings: RedisSettings;
}

/** Our own Redis on loopback, not started yet. */
export async function redisServer(options: RedisOptions): Promise<RedisServer> {
  const binary = requireProgram('redis');
  const dir = path.resolve(options.dir);
  const settings = {
    host: '127.0.0.1',
    port: options.port ?? (await freePort()),
    password: options.password ?? '',
  };
  const configFile = path.join(dir, 'redis.conf'); // everybody could read a password on the command line
  const config: Record<string, string> = {
    bind: settings.host,
    port: String(settings.port),
    dir: quoted(dir),
    daemonize: 'no',
    save: '""',
    appendonly: options.appendonly ? 'yes' : 'no',
    ...(settings.password === '' ? {} : { requirepass: quoted(settings.password) }),
    ...options.config,
  };

  const base = server({
    name: 'redis',
    host: settings.host,
    port: settings.port,
    logFile: options.logFile ?? path.join(dir, 'server.log'),
    ready: async () => (await probeRedis(settings)).state === 'answers',
    launch: async () => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const lines = Object.entries(config).map(([key, value]) => `${key} ${value}\n`);
      await writeFile(configFile, lines.join(''), { mode: 0o600 });
      return {
        command: binary,
        args: [configFile],
        cwd: dir,
        dieWithParent: options.dieWithParent,
      };
    },
    onDeath: options.onDeath,
  });
  return Object.assign(base, { password: settings.password, settings });
}

/** The same, started. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const redis = await redisServer(options);
  await redis.start();
  return redis;
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
