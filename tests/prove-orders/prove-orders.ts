import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { privateFleet, type Server, temporaryFolder } from '@shop/test-servers';
import type { AnyOperation, Evidence } from './evidence';
import { injectFaults, planFaults } from './faults';
import { readFinalState } from './final-state';
import { openShop } from './shop';
import { resolveUnknown, runClients } from './workload';

export interface ProofOptions {
  seed: number;
  seconds: number;
  print: (line: string) => void;
  /** Ends the run early. The operations until then are checked. */
  signal?: AbortSignal;
}

const BUYERS = 16;
const SELLERS = 3;
const JWT_SECRET = 'local-development-only-secret-for-prove-orders';

/**
 * Orders, pays, ships, cancels and restocks through Nginx and two replicas of every service, on its own servers, while it
 * kills services, the database and Redis. Then waits until everything is back and collects the evidence for the checks.
 */
export async function proveOrders({ seed, seconds, print, signal }: ProofOptions): Promise<Evidence> {
  const dir = await temporaryFolder('shop-proof-');
  const { fleet, mysql, redis, ...all } = await privateFleet({ dir, jwtSecret: JWT_SECRET, replicas: 2 });
  try {
    await all.start();
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
    // Not AbortSignal.timeout() under AbortSignal.any(): it may be garbage-collected before it fires.
    const timer = setTimeout(stop, seconds * 1000);
    signal?.addEventListener('abort', stop);
    const [, killed] = await Promise.all([
      runClients({ shop, seed, started, signal: end.signal, log }),
      injectFaults(faults, servers, { started, signal: end.signal, say: print }),
    ]);
    clearTimeout(timer);
    print(
      `${killed} kills, ${log.length} operations; everything is running again, retrying operations with an unknown outcome`,
    );
    await resolveUnknown({ shop, log });
    return { operations: log, ...(await readFinalState(mysql.settings)) };
  } finally {
    await all.stop();
    await rm(dir, { recursive: true, force: true });
  }
}
