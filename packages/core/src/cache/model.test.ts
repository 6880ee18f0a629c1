import net from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type SimulatedRedis, simulatedRedis } from '../../../../tests/support/simulated-redis';
import { virtualClock } from '../../../../tests/support/virtual-clock';
import { databaseUnavailable } from '../errors';
import { createLogger } from '../log';
import { createMetrics } from '../metrics';
import { connectRedis, type RedisLink } from '../redis';
import { createGeneration } from './generation';
import { createResponseCache, type ResponseCache } from './response-cache';

/**
 * A model check of docs/decisions/0004-cache-coherence.md: two processes with the real cache and the real Redis client read
 * and write over a simulated Redis, network and MySQL. Each run is determined by its seed, so a failing run can be repeated:
 *
 *     CACHE_MODEL_SEED=4711 npx jest packages/core/src/cache/model.test.ts
 *     CACHE_MODEL_SEEDS=100000 npx jest packages/core/src/cache/model.test.ts
 */
const SEEDS = Number(process.env.CACHE_MODEL_SEEDS ?? 400);
const ONLY = process.env.CACHE_MODEL_SEED;
const PROCESSES = [0, 1];
const STEPS = 60;
const FAULT_EVERY_STEPS = 10;
/** Sentinels tell of a new master within 2 s, and with them a process waits for 3 s. Here it waits for 1 s, as without them. */
const LEAVE_WITHIN_MS = 500;

interface Mode {
  faults: (keyof typeof faults)[];
  thaw: 'arrival' | 'random';
  /** A read that starts within this time after a write was acknowledged may still miss the write. */
  maxStaleMs: number;
}

/** Stalls and restarts of Redis never cause a stale read. A fault that only one process notices may, for up to 2 s. */
const modes = {
  'Redis stalls': { faults: ['stall'], thaw: 'arrival', maxStaleMs: 0 },
  'Redis is killed and restarted with all, old or no data': {
    faults: ['restart', 'stall'],
    thaw: 'arrival',
    maxStaleMs: 0,
  },
  'a replica is promoted, and the processes leave the old master one after the other': {
    faults: ['failover', 'failover', 'restart', 'stall'],
    thaw: 'arrival',
    // The last process to leave reads what the old master has, while the others write to the new one.
    maxStaleMs: LEAVE_WITHIN_MS,
  },
  'partitions, stalls, restarts and MySQL failures': {
    faults: ['partition', 'partition', 'stall', 'restart', 'mysql'],
    thaw: 'random',
    maxStaleMs: 2000,
  },
} satisfies Record<string, Mode>;

interface World {
  random: () => number;
  mode: Mode;
  redis: SimulatedRedis;
  links: RedisLink[];
  caches: ResponseCache[];
  mysql: { values: Map<string, number>; generation: string; down: Set<number> };
  /** Every acknowledged write. */
  acknowledged: { key: string; value: number; at: number }[];
  problems: string[];
}

const faults = {
  async stall({ random, redis, mode }: World) {
    redis.freeze();
    await pass(20 + random() * (random() < 0.7 ? 300 : 4000));
    redis.thaw(mode.thaw);
  },
  async restart(world: World) {
    const { random, redis } = world;
    redis.snapshot();
    await pass(random() * 300);
    if (random() < 0.5) await write(world, pick(random, PROCESSES), 'thing');
    redis.kill();
    await pass(random() * 700);
    redis.start((['all', 'snapshot', 'nothing'] as const)[Math.floor(random() * 3)] ?? 'all');
  },
  async failover(world: World) {
    const { random, redis } = world;
    redis.snapshot();
    await pass(random() * 300);
    if (random() < 0.5) await write(world, pick(random, PROCESSES), 'thing');
    redis.failOver(LEAVE_WITHIN_MS);
    await pass(LEAVE_WITHIN_MS);
  },
  async partition({ random, redis }: World) {
    const process = pick(random, PROCESSES);
    redis.setLine(process, random() < 0.5 ? 'silent' : 'refused');
    await pass(random() * 4000);
    redis.setLine(process, 'open');
  },
  async mysql({ random, mysql }: World) {
    const process = pick(random, PROCESSES);
    mysql.down.add(process);
    await pass(random() * 3000);
    mysql.down.delete(process);
  },
};

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Runs a statement for `process`. It fails while MySQL is down for that process, and takes effect at a random time
 * while it runs.
 */
async function statement<T>({ random, mysql }: World, process: number, effect: () => T): Promise<T> {
  const duration = () => random() * (random() < 0.1 ? 60 : 4);
  await pass(duration());
  if (mysql.down.has(process)) throw databaseUnavailable();
  const result = effect();
  await pass(duration());
  return result;
}

async function write(world: World, process: number, key: string): Promise<void> {
  const { mysql, caches, acknowledged } = world;
  try {
    const value = await statement(world, process, () => {
      const next = (mysql.values.get(key) ?? 0) + 1;
      mysql.values.set(key, next);
      return next;
    });
    await caches[process]?.invalidate([`product:${key}`]);
    acknowledged.push({ key, value, at: performance.now() });
  } catch {
    // Not acknowledged: the client does not know whether the write took effect.
  }
}

async function read(world: World, process: number, key: string): Promise<void> {
  const { mysql, caches, acknowledged, mode, problems } = world;
  const startedAt = performance.now();
  const mustSee = acknowledged.filter((each) => each.key === key && each.at + mode.maxStaleMs <= startedAt);
  const least = Math.max(0, ...mustSee.map(({ value }) => value));
  const load = () => statement(world, process, () => Buffer.from(String(mysql.values.get(key) ?? 0)));
  try {
    const rule = { key, scopes: [`product:${key}`], ttlSeconds: 300 };
    const response = await caches[process]?.getOrLoad('/thing', rule, load);
    const value = Number(response?.bytes.toString());
    if (value >= least) return;
    const when = `read at ${startedAt.toFixed(0)} ms by process ${process}`;
    problems.push(`${when} of "${key}": ${value} (${response?.status}), but ${least} was acknowledged`);
  } catch {
    // MySQL is down.
  }
}

async function simulate(world: World): Promise<void> {
  const { random, mode } = world;
  const running: Promise<void>[] = [];
  // A service also waits for this before it listens.
  await Promise.all(world.links.map((link) => link.firstAttempt()));
  const runningFaults: Promise<void>[] = [];
  const faultyServers = new Set<string>();
  // With few writes, old entries stay for long. With many writes, writes coincide with every fault. The same holds for
  // pauses.
  const writes = random() < 0.5 ? 0.03 : 0.2;
  const pauses = random() < 0.5 ? 0.05 : 0.5;
  for (let step = 1; step <= STEPS; step += 1) {
    await pass(random() * (random() < pauses ? 600 : 30));
    const act = random() < writes ? write : read;
    // Several at once share one socket and one cache lookup.
    const times = random() < 0.2 ? 3 : 1;
    for (let count = 0; count < times; count += 1) running.push(act(world, pick(random, PROCESSES), 'thing'));
    if (random() > 1 / FAULT_EVERY_STEPS) continue;
    const kind = pick(random, mode.faults);
    // At most one fault per server at a time.
    const server = kind === 'mysql' ? 'mysql' : 'redis';
    if (faultyServers.has(server)) continue;
    faultyServers.add(server);
    runningFaults.push(faults[kind](world).then(() => void faultyServers.delete(server)));
  }
  await Promise.all(runningFaults);
  await Promise.all(running);
}

const silent = createLogger('model', 'silent');

async function run(seed: number, mode: Mode): Promise<string[]> {
  const clock = virtualClock();
  const random = seeded(seed);
  const redis = simulatedRedis(random);
  const createConnection = (({ port }: { port: number }) =>
    redis.connect(port)) as unknown as typeof net.createConnection;
  jest.spyOn(net, 'createConnection').mockImplementation(createConnection);
  const mysql = { values: new Map<string, number>(), generation: 'first', down: new Set<number>() };
  const world: World = { random, mode, redis, links: [], caches: [], mysql, acknowledged: [], problems: [] };
  let renewals = 0;
  for (const process of PROCESSES) {
    const metrics = createMetrics('model');
    const link = connectRedis(
      { server: { host: 'redis', port: process }, password: () => undefined },
      { logger: silent, metrics },
    );
    const generation = createGeneration(
      {
        read: () => statement(world, process, () => mysql.generation),
        renew: () =>
          statement(world, process, () => {
            renewals += 1;
            mysql.generation = `renewed ${renewals}`;
          }),
      },
      { logger: silent },
    );
    world.links.push(link);
    world.caches.push(createResponseCache({ redis: link, generation, metrics }));
  }
  let alive = true;
  const done = simulate(world).finally(() => {
    alive = false;
  });
  while (alive) {
    // Run everything that can run now before advancing the clock.
    await turn();
    await turn();
    if (alive) clock.next();
  }
  await done;
  await Promise.all(world.links.map((link) => link.close()));
  clock.end();
  jest.restoreAllMocks();
  return world.problems;
}

// Stack traces are off: they take more time than everything else.
const { stackTraceLimit } = Error;
beforeEach(() => {
  Error.stackTraceLimit = 0;
});
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
  jest.restoreAllMocks();
});

test.each(Object.entries<Mode>(modes))(
  `no read is older than the last acknowledged write, ${SEEDS} seeds: %s`,
  async (_, mode) => {
    const seeds = ONLY === undefined ? Array.from({ length: SEEDS }, (_unused, index) => index + 1) : [Number(ONLY)];
    for (const seed of seeds) {
      const problems = await run(seed, mode);
      if (problems.length > 0) throw new Error(`CACHE_MODEL_SEED=${seed}:\n${problems.slice(0, 5).join('\n')}`);
    }
  },
  60_000 + SEEDS * 1000,
);
