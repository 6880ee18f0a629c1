import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { freePort, type RedisServer, requireProgram, spawnProcess, startRedis, until } from '@shop/test-servers';
import { Redis } from 'ioredis';

const MASTER = 'shop';
const SENTINEL_PASSWORD = 'sentinel-password';

export interface WatchedRedis {
  /** A master and its replica. After a failover they have changed places. */
  servers: [RedisServer, RedisServer];
  /** Settings of a service that asks the sentinels for the master. */
  env: Record<string, string>;
  /** The port of the server that the sentinels call the master. */
  masterPort(): Promise<number>;
  /** From now on the replica gets nothing that the master accepts, until both are connected again. */
  cutReplication(): Promise<void>;
  /** Freezes so many of the three sentinels. */
  freezeSentinels(count: number): void;
  thawSentinels(): void;
  stop(): Promise<void>;
}

/** A Redis with a replica, and three sentinels that promote the replica when two of them have not reached the master for 2 s. */
export async function startWatchedRedis(dir: string): Promise<WatchedRedis> {
  const master = await startRedis({ dir: path.join(dir, 'a'), dieWithParent: true });
  const replica = await startRedis({
    dir: path.join(dir, 'b'),
    dieWithParent: true,
    config: { replicaof: `127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay': '0' },
  });
  const sentinels = await Promise.all(
    [1, 2, 3].map((number) => startSentinel(path.join(dir, `s${number}`), master.port)),
  );
  const [first] = sentinels;
  const ask = new Redis({ port: first?.port ?? 0, password: SENTINEL_PASSWORD, enableReadyCheck: false });
  const about = async (what: string) => (await ask.call('SENTINEL', what, MASTER)) as string[];
  const masterPort = async () => Number((await about('GET-MASTER-ADDR-BY-NAME'))[1]);
  const seen = async () => (await about('REPLICAS')).length === 1 && (await about('SENTINELS')).length === 2;
  await until(seen, { timeoutMs: 120_000, what: 'the sentinels to know the replica and each other' });
  return {
    servers: [master, replica],
    env: {
      REDIS_HOST: '',
      REDIS_SENTINELS: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(),
      REDIS_SENTINEL_NAME: MASTER,
      REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD,
    },
    masterPort,
    async cutReplication() {
      const port = await masterPort();
      const [current, other] = master.port === port ? [master, replica] : [replica, master];
      // It stays connected to nothing: what arrives at a stopped process's socket would be read later.
      other.pause();
      const admin = new Redis({ port: current.port });
      await admin.call('CLIENT', 'KILL', 'TYPE', 'replica');
      admin.disconnect();
    },
    freezeSentinels(count) {
      for (const { process } of sentinels.slice(0, count)) process.signal('SIGSTOP');
    },
    thawSentinels() {
      for (const { process } of sentinels) process.signal('SIGCONT');
    },
    async stop() {
      ask.disconnect();
      for (const sentinel of sentinels) sentinel.process.signal('SIGKILL');
      await Promise.all(sentinels.map((sentinel) => sentinel.process.exited));
      await Promise.all([master.stop(), replica.stop()]);
    },
  };
}

async function startSentinel(dir: string, masterPort: number) {
  const port = await freePort();
  await mkdir(dir, { recursive: true });
  const file = path.join(dir, 'sentinel.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${dir}`,
    `requirepass ${SENTINEL_PASSWORD}`,
    `sentinel sentinel-pass ${SENTINEL_PASSWORD}`,
    `sentinel monitor ${MASTER} 127.0.0.1 ${masterPort} 2`,
    `sentinel down-after-milliseconds ${MASTER} 2000`,
    `sentinel failover-timeout ${MASTER} 6000`,
  ];
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  const process = await spawnProcess({
    name: 'sentinel',
    command: requireProgram('redis'),
    args: [file, '--sentinel'],
    cwd: dir,
    logFile: path.join(dir, 'server.log'),
    dieWithParent: true,
  });
  return { port, process };
}
