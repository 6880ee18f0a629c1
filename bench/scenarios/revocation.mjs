/**
 * The cost of the check that an access token was not revoked (docs/decisions/0038-revocation.md), as a share of the CPU time that
 * the service needs for a cached GET /products. Requests per second with and without the check differ by less than they do from
 * run to run, so the check is measured by itself, with 18,000 sessions revoked within an hour.
 */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { fillShop, loadOn } from '../support/endpoints.mjs';
import { figure } from '../support/figures.mjs';
import { median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';

const { createRevocations, revocationsIn } = createRequire(import.meta.url)('@shop/core/auth');
const { createDatabase } = createRequire(import.meta.url)('@shop/core/db');
const { createLogger } = createRequire(import.meta.url)('@shop/core/log');
const { createMetrics } = createRequire(import.meta.url)('@shop/core/metrics');

const AT_MOST = 0.02;
const PER_MINUTE = 300;
const CHECKS = 1_000_000;
const READS = 200;

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService('product');
  try {
    await fillShop(shop);
    const { check, read } = await costs(shop, Number(rounds));
    const load = loadOn(shop, 'products list, hit', { duration: Number(seconds), pids: { service: shop.pid } });
    const requests = [];
    for (let round = 0; round <= Number(rounds); round += 1) {
      requests.push((await load()).service * 1000);
    }
    const request = median(requests.slice(1));
    // The table is read once a second, however many requests there are.
    const share = check / request + read / 1_000_000;
    return {
      figures: [
        figure('CPU of a cached GET /products', request, 'µs'),
        figure('CPU of a check of its token', check, 'µs'),
        figure('CPU of reading the table, once a second', read, 'µs'),
        figure('share of the checks in the CPU of cached reads', share, 'share', { atMost: AT_MOST }),
      ],
    };
  } finally {
    await shop.stop();
  }
}

/** Microseconds of CPU time of one check, and of one read of what was revoked in the last minute. */
async function costs(shop, rounds) {
  const revoke = (sessions) =>
    shop.sql('INSERT INTO revocations (user_id, session_id, revoked_at, expires_at) VALUES ?', [
      Array.from({ length: sessions }, () => [2, randomUUID(), new Date(), new Date(Date.now() + 3_600_000)]),
    ]);
  const { database: name, password, ...server } = shop.database;
  const metrics = createMetrics('bench');
  const config = { ...server, name, password: () => password, tls: undefined, poolSize: 2, maxIdle: 2 };
  const db = createDatabase(
    { ...config, maxLifetimeSeconds: 3600, slowStatementMs: 0, fleetProcesses: 1, checkColumns: false },
    { logger: createLogger('bench', 'silent'), metrics },
  );
  try {
    const revocations = createRevocations(revocationsIn(db), { metrics });
    await revoke(59 * PER_MINUTE);
    await revocations.refresh();
    // A minute passes: from then on, only later ones are read.
    const now = performance.now.bind(performance);
    performance.now = () => now() + 60_000;
    await revoke(PER_MINUTE);
    await revocations.refresh();
    const token = { caller: { id: 1, role: 'user', sessionId: randomUUID() }, issuedAt: Math.floor(Date.now() / 1000) };
    const check = () => revocations.isRevoked(token);
    const [checks, reads] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      checks.push(await cpuOfEach(CHECKS, check));
      reads.push(await cpuOfEach(READS, revocations.refresh));
    }
    return { check: median(checks), read: median(reads) };
  } finally {
    await db.close();
  }
}

async function cpuOfEach(times, work) {
  const before = process.cpuUsage();
  for (let count = 0; count < times; count += 1) {
    await work();
    // Lets the database's responses in: awaiting what is already there does not.
    if (count % 1000 === 0) await setImmediate();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}
