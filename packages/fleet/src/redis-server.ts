import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
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
}

export type RedisProbe = { state: 'answers' } | { state: 'absent' | 'denied' | 'other'; message: string };

/** Logs in and pings. Never throws, and answers in about `timeoutMs`. */
export async function probeRedis({ host, port, password }: RedisSettings, timeoutMs = 1500): Promise<RedisProbe> {
  const redis = new Redis({
    host,
    port,
    ...(password === '' ? {} : { password }),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
  });
  const at = `${host}:${port}`;
  // ioredis reports a refused login and a refused connection here, and only "closed" to whoever waits for an answer.
  let reason: unknown;
  redis.on('error', (error) => {
    reason ??= error;
  });
  try {
    const answer = await withTimeout(
      redis.connect().then(() => redis.ping()),
      timeoutMs,
      () => undefined,
    );
    if (answer === 'PONG') return { state: 'answers' };
    return { state: 'other', message: `what listens at ${at} (REDIS_HOST, REDIS_PORT) does not answer as a Redis` };
  } catch (error) {
    const cause = reason ?? error;
    const message = messageOf(cause);
    if (/WRONGPASS|NOAUTH|NOPERM|invalid password|without any password/i.test(message)) {
      return { state: 'denied', message: `the Redis at ${at} refuses REDIS_PASSWORD: ${message}` };
    }
    return {
      state: isUnreachable(cause) ? 'absent' : 'other',
      message: (await portAnswers(port, host))
        ? `what listens at ${at} (REDIS_HOST, REDIS_PORT) does not answer as a Redis: ${message}`
        : `nothing answers at ${at} (REDIS_HOST, REDIS_PORT): ${codeOf(cause) ?? message}`,
    };
  } finally {
    redis.disconnect();
  }
}

export interface RedisOptions extends ServerEvents {
  /** Where its configuration, data and (unless logFile says otherwise) log live. */
  dir: string;
  port?: number;
  /** Empty or absent: none. */
  password?: string;
  /** Keep what it holds over a restart. Off: it is a cache. */
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

/** A Redis of our own, on loopback; not started yet. */
export async function redisServer(options: RedisOptions): Promise<RedisServer> {
  const binary = requireProgram('redis');
  const dir = path.resolve(options.dir);
  const settings = {
    host: '127.0.0.1',
    port: options.port ?? (await freePort()),
    password: options.password ?? '',
  };
  const configFile = path.join(dir, 'redis.conf'); // a password on the command line is everybody's to read
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
    onSpawn: options.onSpawn,
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
