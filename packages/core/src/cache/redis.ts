import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll, isBrokenCircuitError } from 'cockatiel';
import { Redis } from 'ioredis';
import type { RedisConfig } from '../config/core-config';
import type { Logger } from '../log/logger';
import type { Metrics } from '../metrics/metrics';

/** A slow Redis costs a request this much at most. */
const COMMAND_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 500;
const RECONNECT_DELAY_MS = 200;

export type RedisStatus = 'up' | 'down' | 'disabled';

/**
 * Redis as something that may be away at any moment: no command is queued while it is, none waits longer than 100 ms, and
 * after five failures in a row a circuit breaker stops asking for a second.
 */
export interface RedisLink {
  status(): RedisStatus;
  /**
   * Runs commands. Rejects at once while Redis is away; callers go on without it.
   * @param purpose a metrics label: one of a few
   */
  use<T>(purpose: string, commands: (redis: Redis) => Promise<T>): Promise<T>;
  /** Hands commands to the socket whatever the breaker says; for invalidations, which a frozen Redis must find when it thaws. */
  send<T>(commands: (redis: Redis) => Promise<T>): Promise<T>;
  /** Runs `listener` after each connect, before `status` is `up`; a failure keeps Redis `down` and is tried again. */
  onConnect(listener: (redis: Redis) => Promise<void>): void;
  /** Resolves to true when Redis is back within `ms`, and to false at once where nothing listens on its port. */
  back(ms: number): Promise<boolean>;
  close(): Promise<void>;
}

export class RedisAway extends Error {
  constructor() {
    super('Redis is away');
    this.name = 'RedisAway';
  }
}

/** A command that was handed over and not answered in time; ioredis has no class or code for it. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out';

/** A fleet without Redis: everything still answers, from MySQL. */
const disabledLink: RedisLink = {
  status: () => 'disabled',
  use: () => Promise.reject(new RedisAway()),
  send: () => Promise.reject(new RedisAway()),
  onConnect: () => undefined,
  back: () => Promise.resolve(false),
  close: () => Promise.resolve(),
};

const failure = { away: { reason: 'away' }, timeout: { reason: 'timeout' }, error: { reason: 'error' } } as const;

function failureOf(error: unknown) {
  if (isTimeout(error)) return failure.timeout;
  return isBrokenCircuitError(error) ? failure.away : failure.error;
}

const closedBreaker = () => circuitBreaker(handleAll, { halfOpenAfter: 1000, breaker: new ConsecutiveBreaker(5) });

interface RedisParts {
  logger: Logger;
  metrics: Metrics;
}

export function connectRedis(config: RedisConfig | undefined, { logger, metrics }: RedisParts): RedisLink {
  metrics.redisUp.set(0);
  if (!config) return disabledLink;
  const redis = new Redis({
    host: config.host,
    port: config.port,
    ...(config.password === undefined ? {} : { password: config.password }),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // ioredis starts this timer for a connection that is gone already too, and it keeps the process alive.
    disconnectTimeout: COMMAND_TIMEOUT_MS,
    // Commands fail at once while Redis is away, instead of waiting in a queue with the requests behind them.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => RECONNECT_DELAY_MS,
    reconnectOnError: (error) => /READONLY|NOAUTH|LOADING/.test(error.message),
  });
  let breaker = closedBreaker();
  metrics.gauge('redis_client_breaker_open', '1 while commands are not even tried, after failures in a row', () =>
    breaker.state === CircuitState.Open || breaker.state === CircuitState.HalfOpen ? 1 : 0,
  );
  const listeners: ((redis: Redis) => Promise<void>)[] = [];
  let up = false;
  let warned = false;
  let closed = false;

  const setDown = (reason?: string): void => {
    up = false;
    metrics.redisUp.set(0);
    if (warned || closed) return;
    warned = true;
    logger.warn(
      { host: config.host, port: config.port, reason },
      'Redis is away: answers come from MySQL, limits are per process',
    );
  };

  async function greet(): Promise<void> {
    while (redis.status === 'ready' && !closed) {
      try {
        for (const listener of listeners) await listener(redis);
        // What the old connection could not do says nothing about this one, which has just answered.
        breaker = closedBreaker();
        up = true;
        metrics.redisUp.set(1);
        if (warned) logger.info('Redis is back');
        warned = false;
        return;
      } catch (error) {
        setDown(String(error));
        await sleep(RECONNECT_DELAY_MS, undefined, { ref: false });
      }
    }
  }

  redis.on('ready', () => void greet());
  redis.on('close', () => setDown());
  redis.on('error', (error) => setDown(error.message));
  redis.connect().catch(() => undefined);

  return {
    status: () => (up ? 'up' : 'down'),
    async use(purpose, commands) {
      if (!up) {
        metrics.redisFailures.inc(failure.away);
        throw new RedisAway();
      }
      batchWrites(redis);
      const start = performance.now();
      try {
        return await breaker.execute(() => commands(redis));
      } catch (error) {
        metrics.redisFailures.inc(failureOf(error));
        throw error;
      } finally {
        metrics.redisCommands.observe({ purpose }, (performance.now() - start) / 1000);
      }
    },
    async send(commands) {
      if (redis.status !== 'ready') throw new RedisAway();
      batchWrites(redis);
      return commands(redis);
    },
    onConnect: (listener) => {
      listeners.push(listener);
    },
    async back(ms) {
      const deadline = Date.now() + ms;
      while (!up && Date.now() < deadline) {
        if (!(await accepts(config))) return false;
        await sleep(20);
      }
      return up;
    },
    async close() {
      closed = true;
      redis.disconnect();
    },
  };
}

/** The commands of one turn of the event loop leave in one write, which is a system call and costs more than a command. */
function batchWrites({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}

/** Whether something listens there. A refusal proves that Redis is down at this very moment. */
function accepts({ host, port }: RedisConfig): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: COMMAND_TIMEOUT_MS });
    const settle = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('timeout', settle(false)).once('error', settle(false));
  });
}
