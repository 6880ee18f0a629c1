import { Redis } from 'ioredis';
import type { Logger } from '../log';
import { type Metrics, ROUND_TRIP_BUCKETS } from '../metrics';
import { watchMaster } from './master-watch';
import { describeServer, loginOptions, type RedisConfig, serverOptions } from './redis-config';

/** A slow Redis delays a request by at most this time. */
const COMMAND_TIMEOUT_MS = 100;
const CONNECT_TIMEOUT_MS = 500;
const RECONNECT_DELAY_MS = 200;
/**
 * How long a stalled connection stays open. Writers still send their invalidations on it, and Redis reads them when it
 * continues. Longer than a process uses its cache without rereading the generation from MySQL.
 */
const STALL_TIMEOUT_MS = 2500;
/**
 * How long a new connection is not used after an outage. Longer than a reconnect takes, so that by then every other process
 * is connected again and its invalidations have arrived.
 */
const SETTLE_MS = 1000;
/** The same with sentinels, which tell each other about a new master every two seconds. */
const SENTINEL_SETTLE_MS = 3000;

export type RedisStatus = 'up' | 'down' | 'disabled';

/**
 * Redis as a dependency that may be down at any time. No command is queued while it is down, and none waits longer than
 * 100 ms. After a timeout, the responses to all earlier commands on the connection are discarded, because they may be stale.
 */
export interface RedisLink {
  status(): RedisStatus;
  /**
   * Runs commands. Rejects at once while Redis is not `up`, and callers continue without it.
   * @param purpose a metrics label from a fixed list
   */
  use<T>(purpose: string, commands: (redis: Redis) => Promise<T>): Promise<T>;
  /**
   * For invalidations: runs commands on any open connection, even before it is `up`. On a stalled connection it writes them to
   * the socket and rejects at once.
   */
  send<T>(commands: (redis: Redis) => Promise<T>): Promise<T>;
  /** Runs `listener` after each connect, before `status` is `up`. Until it succeeds, Redis stays `down`. */
  onConnect(listener: (redis: Redis) => Promise<void>): void;
  /** Resolves when the first connection attempt has succeeded or failed. */
  firstAttempt(): Promise<void>;
  close(): Promise<void>;
}

class RedisFailure extends Error {
  override name = 'RedisFailure';

  constructor(readonly reason: 'away' | 'timeout') {
    super(reason === 'away' ? 'Redis is not available' : 'Redis did not respond in time');
  }
}

const reasonOf = (error: unknown) => (error instanceof RedisFailure ? error.reason : 'error');

/** Used without Redis: every response is loaded from MySQL. */
const disabledLink: RedisLink = {
  status: () => 'disabled',
  use: () => Promise.reject(new RedisFailure('away')),
  send: () => Promise.reject(new RedisFailure('away')),
  onConnect: () => undefined,
  firstAttempt: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

export function connectRedis(
  config: RedisConfig | undefined,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): RedisLink {
  let up = false;
  metrics.gauge('redis_up', '1 while Redis is usable for this process', () => Number(up));
  const commandSeconds = metrics.histogram(
    'redis_client_command_duration_seconds',
    'Duration of round trips to Redis by purpose, including failed ones',
    [0.00025, ...ROUND_TRIP_BUCKETS.filter((seconds) => seconds <= 0.1)],
    ['purpose'],
  );
  const failures = metrics.counter(
    {
      name: 'redis_client_failures_total',
      help: 'Failed round trips to Redis: away (not connected), timeout or error (the command was rejected)',
      labelNames: ['reason'],
    },
    [{ reason: 'away' }, { reason: 'timeout' }, { reason: 'error' }],
  );
  if (!config) return disabledLink;
  const settleMs = 'sentinels' in config.server ? SENTINEL_SETTLE_MS : SETTLE_MS;
  const redis: Redis = new Redis({
    ...serverOptions(config),
    ...loginOptions(config),
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    // For the handshake and for a stalled connection. Everything else times out earlier, in `withCommandTimeout`.
    commandTimeout: STALL_TIMEOUT_MS,
    // ioredis starts this timer even for a closed connection, and the timer keeps the process alive.
    disconnectTimeout: COMMAND_TIMEOUT_MS,
    // Commands fail at once while Redis is down. Queued commands would make their requests wait.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // While Redis loads its data, all processes must reconnect within SETTLE_MS of each other.
    maxLoadingRetryTime: RECONNECT_DELAY_MS,
    retryStrategy: reconnectDelay,
    sentinelRetryStrategy: reconnectDelay,
    reconnectOnError: (error) => /READONLY|NOAUTH|LOADING/.test(error.message),
  });
  const listeners: ((redis: Redis) => Promise<void>)[] = [];
  /** The reject functions of the commands that wait for a response on the current connection. */
  const waiting = new Set<(error: Error) => void>();
  let stalled = false;
  /** Counts connects, stalls and disconnects. Work started in one phase must not continue in the next. */
  let phase = 0;
  let wasDown = false;
  /** The connect listeners that must still run before the connection is used. A stall does not cancel them. */
  let pendingListeners: ((redis: Redis) => Promise<void>)[] = [];
  /** The reasons that were logged since Redis was last up. */
  const warnings = new Set<string>();
  let closed = false;
  const watch = watchMaster(redis, config);

  /** Called before each reconnect. The password may have changed meanwhile. */
  function reconnectDelay(): number {
    if (config) Object.assign(redis.options, loginOptions(config));
    return RECONNECT_DELAY_MS;
  }

  /** Starts a new phase of the connection. @returns a function that tells whether the phase is still current */
  function startPhase(): () => boolean {
    phase += 1;
    const started = phase;
    return () => started === phase && redis.status === 'ready' && !closed;
  }

  const setDown = (reason: string): void => {
    up = false;
    wasDown = true;
    if (closed || warnings.has(reason)) return;
    warnings.add(reason);
    logger.warn(
      { ...describeServer(config), reason },
      'Redis is down: loading responses from MySQL, limiting request rates per process',
    );
  };

  /** Rejects all commands on the current connection, and uses it again only once Redis has responded to all of them. */
  async function stall(): Promise<void> {
    stalled = true;
    setDown('a command timed out');
    const timedOut = [...waiting];
    waiting.clear();
    for (const reject of timedOut) reject(new RedisFailure('timeout'));
    const isCurrent = startPhase();
    const responded = await redis.ping().then(
      () => true,
      () => false,
    );
    if (!isCurrent()) return;
    // The connection survived, so Redis did not restart. A new epoch, which would empty the cache, is not needed.
    if (responded) await makeUsable();
    else redis.disconnect(true);
  }

  /** Runs commands with a timeout. A timeout rejects all commands that wait on the current connection. */
  function withCommandTimeout<T>(commands: (redis: Redis) => Promise<T>): Promise<T> {
    return new Promise(function send(resolve, reject) {
      waiting.add(reject);
      // The response may have arrived while this process was busy. Read the socket before giving up.
      const timer = setTimeout(() => setImmediate(() => waiting.has(reject) && void stall()), COMMAND_TIMEOUT_MS);
      const settled = () => {
        clearTimeout(timer);
        waiting.delete(reject);
      };
      commands(redis).then(
        function respond(value) {
          // If it is no longer waiting, the connection stalled in the meantime and this response may be stale.
          if (waiting.has(reject)) resolve(value);
          settled();
        },
        function fail(error) {
          settled();
          reject(error);
        },
      );
    });
  }

  /** Waits for SETTLE_MS if Redis was down, then runs the connect listeners until all succeed, and sets `up`. */
  async function makeUsable(): Promise<void> {
    stalled = false;
    const isCurrent = startPhase();
    if (wasDown) await pause(settleMs);
    while (isCurrent()) {
      try {
        if (!watch.isInContact()) throw new Error('most of the sentinels do not respond');
        await withCommandTimeout(refuseCluster);
        for (const listener of pendingListeners) await withCommandTimeout(listener);
        if (!isCurrent()) return;
        pendingListeners = [];
        up = true;
        if (warnings.size > 0) logger.info('Redis is up again');
        warnings.clear();
        return;
      } catch (error) {
        setDown(String(error));
        await pause(RECONNECT_DELAY_MS);
      }
    }
  }

  redis.on('close', () => {
    startPhase();
    stalled = false;
    // Usually an error came first and says more.
    setDown(warnings.values().next().value ?? 'the connection was closed');
  });
  redis.on('error', (error) => {
    // Without an earlier error, ioredis has only asked the last one of its list.
    if (!/^All sentinels are unreachable.*ms\.$/.test(error.message)) setDown(error.message);
  });
  const firstAttempt = new Promise<void>((resolve) => {
    redis.on('ready', () => {
      pendingListeners = [...listeners];
      void makeUsable().then(resolve);
    });
    redis.once('error', () => resolve()).once('close', () => resolve());
  });
  redis.connect().catch(() => undefined);

  return {
    status: () => (up ? 'up' : 'down'),
    async use(purpose, commands) {
      if (!up) {
        failures.inc({ reason: 'away' });
        throw new RedisFailure('away');
      }
      batchWrites(redis);
      const start = performance.now();
      try {
        return await withCommandTimeout(commands);
      } catch (error) {
        failures.inc({ reason: reasonOf(error) });
        throw error;
      } finally {
        commandSeconds.observe({ purpose }, (performance.now() - start) / 1000);
      }
    },
    async send(commands) {
      if (redis.status !== 'ready' || !watch.isInContact()) throw new RedisFailure('away');
      batchWrites(redis);
      if (!stalled) return withCommandTimeout(commands);
      commands(redis).catch(() => undefined);
      throw new RedisFailure('timeout');
    },
    onConnect: (listener) => {
      listeners.push(listener);
    },
    firstAttempt: () => firstAttempt,
    async close() {
      closed = true;
      watch.end();
      redis.disconnect();
    },
  };
}

/** A master of a cluster stores only some of the keys. See docs/decisions/0027-managed-databases.md. */
async function refuseCluster(redis: Redis): Promise<void> {
  const info = await redis.info('cluster').catch((error: Error) => {
    // A user may be forbidden to ask.
    if (error.message.startsWith('NOPERM')) return '';
    throw error;
  });
  if (info.includes('cluster_enabled:1')) throw new Error('it is a Redis Cluster, which the shop does not support');
}

/**
 * Sends all commands of one event loop turn in one write. A write is a system call and costs more than a command. ioredis's
 * enableAutoPipelining is no alternative: it holds commands back while earlier ones are in progress, so an invalidation would
 * not be written to the socket of a stalled connection.
 */
function batchWrites({ stream }: Redis): void {
  if (stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
