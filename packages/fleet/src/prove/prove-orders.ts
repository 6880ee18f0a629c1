import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { applySql } from '../database';
import { startFleet } from '../fleet';
import { startMysql } from '../mysql-server';
import { dataDir, repoRoot } from '../paths';
import { startRedis } from '../redis-server';
import type { Server } from '../server';
import type { AnyOperation, Evidence } from './evidence';
import { injectFaults, planFaults } from './faults';
import { readFinalState } from './final-state';
import { openShop } from './shop';
import { resolveUnknown, runClients } from './workload';

export interface ProofOptions {
  seed: number;
  seconds: number;
  print: (line: string) => void;
  /** Ends the run early; what was done until then is checked. */
  signal?: AbortSignal;
}

const BUYERS = 16;
const SELLERS = 3;
const JWT_SECRET = 'local-development-only-secret-for-prove-orders';

/**
 * Sells, pays, ships, cancels and restocks through Nginx and two replicas of every service, on servers of its own, while it
 * kills services, the database and Redis; then lets everything come back and gathers what the checks look at.
 */
export async function proveOrders({ seed, seconds, print, signal }: ProofOptions): Promise<Evidence> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'shop-proof-'));
  const running: { stop: () => Promise<unknown> }[] = [];
  try {
    const [mysql, redis] = await Promise.all([
      startMysql({
        dir: path.join(dir, 'mysql'),
        templates: path.join(dataDir, 'templates'),
        maxConnections: 300,
        dieWithParent: true,
      }),
      startRedis({ dir: path.join(dir, 'redis'), appendonly: true, dieWithParent: true }),
    ]);
    running.push(mysql, redis);
    await applySql(
      mysql.settings,
      ['schema.sql', 'seed.sql'].map((file) => path.join(repoRoot, 'sql', file)),
    );
    const fleet = await startFleet({
      env: {
        APP_ENV: 'local',
        DB_HOST: mysql.host,
        DB_PORT: String(mysql.port),
        DB_USER: mysql.user,
        DB_PASS: mysql.password,
        DB_NAME: mysql.database,
        DB_POOL_SIZE: '15',
        REDIS_HOST: redis.host,
        REDIS_PORT: String(redis.port),
        JWT_SECRET,
        RATE_LIMIT_PER_SECOND: '100000',
        RATE_LIMIT_BURST: '100000',
        UPLOAD_PATH: path.join(dir, 'uploads'),
      },
      runDir: dir,
      replicas: 2,
      ports: 'free',
      listenAddress: '127.0.0.1',
      dieWithParent: true,
    });
    running.push(fleet);
    const shop = await openShop(fleet.url, { buyers: BUYERS, sellers: SELLERS });
    const servers = new Map<string, Server>([
      ...fleet.instances.map((instance): [string, Server] => [instance.name, instance]),
      ['database', mysql],
      ['redis', redis],
    ]);

    const faults = planFaults(seed, seconds * 1000);
    print(
      `${seconds} s, ${BUYERS} buyers, ${SELLERS} sellers, 2 replicas of each service; ${faults.length} kills planned`,
    );
    const log: AnyOperation[] = [];
    const started = Date.now();
    const end = new AbortController();
    setMaxListeners(0, end.signal);
    const stop = () => end.abort();
    // Not AbortSignal.timeout() under AbortSignal.any(): garbage collection may take it before it fires.
    const timer = setTimeout(stop, seconds * 1000);
    signal?.addEventListener('abort', stop);
    const [, killed] = await Promise.all([
      runClients({ shop, seed, started, signal: end.signal, log }),
      injectFaults(faults, servers, { started, signal: end.signal, say: print }),
    ]);
    clearTimeout(timer);
    print(`${killed} kills, ${log.length} operations; everything runs again, asking what is still open`);
    await resolveUnknown({ shop, log });
    return { operations: log, ...(await readFinalState(mysql.settings)) };
  } finally {
    for (const one of running.reverse()) await one.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
