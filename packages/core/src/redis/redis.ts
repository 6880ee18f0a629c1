import { Redis } from 'ioredis';
import type { Logger } from '../log';
import { type Metrics, ROUND_TRIP_BUCKETS } from '../metrics';

/** A slow Redis costs a request at most this much. */
const COMMAND_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 500;
const RECONNECT_DELAY_MS = 200;
/**
 * How long a stalled connection is kept for what writers send: Redis finds their invalidations when it goes on. Longer
 * than a process believes its cache without asking MySQL.
 */
const STALL_TIMEOUT_MS = 2500;
/**
 * How long a connection is not used after Redis was away: longer than a reconnect takes, so that by then every other
 * process reaches Redis again and its invalidations arrive.
 */
const SETTLE_MS = 1000;

export interface RedisConfig {
  host: string;
  port: number;
  password: string | undefined;
}

export type RedisStatus = 'up' | 'down' | 'disabled';

/**
 * Redis as a dependency that may be away at any moment: no command is queued while it is, and none waits longer than
 * 100 ms. After a timeout no earlier command on the connection is believed: its answer may be out of date.
 */
export interface RedisLink {
  status(): RedisStatus;
  /**
   * Runs commands. Rejects at once while Redis is not `up`; callers go on without it.
   * @param purpose a metrics label: one of a few
   */
  use<T>(purpose: string, commands: (redis: Redis) => Promise<T>): Promise<T>;
  /**
   * For invalidations: runs commands on any open connection, also before it is `up`. On a stalled one it leaves them in the
   * socket and rejects at once.
   */
  send<T>(commands: (redis: Redis) => Promise<T>): Promise<T>;
  /** Runs `listener` after each connect, before `status` is `up`; a failure keeps Redis `down` and is tried again. */
  onConnect(listener: (redis: Redis) => Promise<void>): void;
  /** Resolves when the first attempt to connect has ended, whatever came of it. */
  tried(): Promise<void>;
  close(): Promise<void>;
}

export class RedisAway extends Error {
  constructor() {
    super('Redis is away');
    this.name = 'RedisAway';
  }
}

export class RedisTimeout extends Error {
  constructor() {
    super('Redis did not answer in time');
    this.name = 'RedisTimeout';
  }
}

/** A fleet without Redis: everything still answers, from MySQL. */
const disabledLink: RedisLink = {
  status: () => 'disabled',
  use: () => Promise.reject(new RedisAway()),
  send: () => Promise.reject(new RedisAway()),
  onConnect: () => undefined,
  tried: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

function redisMetrics(metrics: Metrics) {
  return {
    commands: metrics.histogram(
      'redis_client_command_duration_seconds',
      'Time of a round trip to Redis, by what it was for; failed ones too',
      [0.00025, ...ROUND_TRIP_BUCKETS.filter((seconds) => seconds <= 0.1)],
      ['purpose'],
    ),
    failures: metrics.counter(
      {
        name: 'redis_client_failures_total',
        help: 'Round trips to Redis that gave nothing: it was away, too slow, or refused the command',
        labelNames: ['reason'],
      },
      Object.values(failure),
    ),
  };
}

const failure = { away: { reason: 'away' }, timeout: { reason: 'timeout' }, error: { reason: 'error' } } as const;

function failureOf(error: unknown) {
  if (error instanceof RedisTimeout) return failure.timeout;
  return error instanceof RedisAway ? failure.away : failure.error;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

interface RedisDeps {
  logger: Logger;
  metrics: Metrics;
}

export function connectRedis(config: RedisConfig | undefined, { logger, metrics }: RedisDeps): RedisLink {
  let up = false;
  metrics.gauge('redis_up', '1 while Redis answers this process', () => Number(up));
  const { commands: commandSeconds, failures } = redisMetrics(metrics);
  if (!config) return disabledLink;
  const redis = new Redis({
    host: config.host,
    port: config.port,
    ...(config.password === undefined ? {} : { password: config.password }),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // For the handshake and for a stalled connection: `inTime` gives up earlier on everything else.
    commandTimeout: STALL_TIMEOUT_MS,
    // ioredis starts this timer even for a connection that is gone, and it keeps the process alive.
    disconnectTimeout: COMMAND_TIMEOUT_MS,
    // Commands fail at once while Redis is away, instead of waiting in a queue with the requests behind them.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // Processes must not come back seconds apart from a Redis that was loading its data (SETTLE_MS).
    maxLoadingRetryTime: RECONNECT_DELAY_MS,
    retryStrategy: () => RECONNECT_DELAY_MS,
    reconnectOnError: (error) => /READONLY|NOAUTH|LOADING/.test(error.message),
  });
  const listeners: ((redis: Redis) => Promise<void>)[] = [];
  /** Rejects the commands that wait for an answer on the current connection. */
  const waiting = new Set<(error: Error) => void>();
  let stalled = false;
  /** Counts connects, stalls and ends: what was begun in one of them must not go on in the next. */
  let life = 0;
  let wasAway = false;
  /** What the current connection must do before it is used. A stall does not cancel it. */
  let owed: ((redis: Redis) => Promise<void>)[] = [];
  let warned = false;
  let closed = false;

  /** Begins another life of the connection. @returns whether that still goes on */
  function begin(): () => boolean {
    life += 1;
    const mine = life;
    return () => mine === life && redis.status === 'ready' && !closed;
  }

  const setDown = (reason?: string): void => {
    up = false;
    wasAway = true;
    if (warned || closed) return;
    warned = true;
    logger.warn(
      { host: config.host, port: config.port, reason },
      'Redis is away: answers come from MySQL, limits are per process',
    );
  };

  /** Gives up all commands on the current connection, and uses it again only once Redis has answered them. */
  async function stall(): Promise<void> {
    stalled = true;
    setDown('a command was not answered in time');
    const late = [...waiting];
    waiting.clear();
    for (const reject of late) reject(new RedisTimeout());
    const goesOn = begin();
    const answered = await redis.ping().then(
      () => true,
      () => false,
    );
    if (!goesOn()) return;
    // The same connection is the same Redis: it has forgotten nothing and needs no new epoch, which would empty the cache.
    if (answered) await makeUsable();
    else redis.disconnect(true);
  }

  /** The answer to commands on the current connection, or a `RedisTimeout` for all that wait there. */
  function inTime<T>(commands: (redis: Redis) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      // An answer may have arrived while this process was busy: read the socket before deciding.
      const timer = setTimeout(() => setImmediate(() => waiting.has(reject) && void stall()), COMMAND_TIMEOUT_MS);
      const settled = () => {
        clearTimeout(timer);
        waiting.delete(reject);
      };
      commands(redis).then(
        (value) => {
          // No longer waiting: the connection had stalled, and this answer came too late to be believed.
          if (waiting.has(reject)) resolve(value);
          settled();
        },
        (error) => {
          settled();
          reject(error);
        },
      );
    });
  }

  /** Makes the connection usable: lets it settle where Redis was away, then does what is owed until all of it succeeds. */
  async function makeUsable(): Promise<void> {
    stalled = false;
    const goesOn = begin();
    if (wasAway) await pause(SETTLE_MS);
    while (goesOn()) {
      try {
        for (const commands of owed) await inTime(commands);
        if (!goesOn()) return;
        owed = [];
        up = true;
        if (warned) logger.info('Redis is back');
        warned = false;
        return;
      } catch (error) {
        setDown(String(error));
        await pause(RECONNECT_DELAY_MS);
      }
    }
  }

  redis.on('close', () => {
    begin();
    stalled = false;
    setDown();
  });
  redis.on('error', (error) => setDown(error.message));
  const firstAttempt = new Promise<void>((resolve) => {
    redis.on('ready', () => {
      owed = [...listeners];
      void makeUsable().then(resolve);
    });
    redis.once('error', () => resolve()).once('close', () => resolve());
  });
  redis.connect().catch(() => undefined);

  return {
    status: () => (up ? 'up' : 'down'),
    async use(purpose, commands) {
      if (!up) {
        failures.inc(failure.away);
        throw new RedisAway();
      }
      batchWrites(redis);
      const start = performance.now();
      try {
        return await inTime(commands);
      } catch (error) {
        failures.inc(failureOf(error));
        throw error;
      } finally {
        commandSeconds.observe({ purpose }, (performance.now() - start) / 1000);
      }
    },
    async send(commands) {
      if (redis.status !== 'ready') throw new RedisAway();
      batchWrites(redis);
      if (!stalled) return inTime(commands);
      commands(redis).catch(() => undefined);
      throw new RedisTimeout();
    },
    onConnect: (listener) => {
      listeners.push(listener);
    },
    tried: () => firstAttempt,
    async close() {
      closed = true;
      redis.disconnect();
    },
  };
}

/**
 * The commands of one turn of the event loop leave in one write, which is a system call and costs more than a command. Not
 * by ioredis's enableAutoPipelining: that keeps commands back while earlier ones are under way, so an invalidation would not
 * get into the socket of a stalled connection.
 */
function batchWrites({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
