/**
 * Every endpoint that the Go original has too: CPU time per request of the service, the database and Redis, 16 clients, medians
 * of rounds in which all endpoints take turns. And the memory of the six services after that.
 * `npm run bench -- endpoints [ROUNDS] [REQUESTS] [PART OF THEIR NAMES]`
 */
import { createRequire } from 'node:module';
import { endpoints, fillShop, loadOn } from '../support/endpoints.mjs';
import { figure, markdownTable } from '../support/figures.mjs';
import { goOriginal, MEASURED } from '../support/go-original.mjs';
import { inTurns, mebibytes, medians } from '../support/load.mjs';
import { startShop } from '../support/shop.mjs';

const { serviceNames } = createRequire(import.meta.url)('@shop/test-servers');

const CLIENTS = 16;
/** Of `slow` endpoints: their requests as a share of the others'. A service refuses logins that would wait for long. */
const SLOW = { clients: 4, share: 1 / 25 };
const ALLOWANCE = 1.2;
const AT_LEAST = { endpoints: 14, share: 0.6 };

/** Milliseconds of CPU time per request: half of what they were on 2026-11-26, an upload a third. */
const SERVICE_AIMS = {
  'catalog, hit': 0.135,
  'product by id': 0.15,
  'address by id': 0.205,
  'store by id': 0.205,
  'transactions list': 0.445,
  'upload 4 KB PNG': 0.5,
  'catalog, not cached': 0.425,
};
const DATABASE_AIMS = { 'catalog, not cached': 0.395 };
const LARGEST_MIB = 100;

export async function run([rounds = '9', requests = '1000', only = '']) {
  const shop = await startShop(serviceNames);
  try {
    await fillShop(shop);
    const names = Object.keys(endpoints).filter((name) => name.includes(only));
    const sides = [];
    for (const name of names) {
      const { service, prepare, slow } = endpoints[name];
      const amount = Math.ceil(Number(requests) * (slow ? SLOW.share : 1));
      await prepare?.(shop);
      const pids = { service: shop.servicePids[service], ...shop.pids };
      sides.push(
        loadOn({ url: shop.urls[service], sql: shop.sql }, name, {
          amount,
          connections: slow ? SLOW.clients : CLIENTS,
          pids,
        }),
      );
    }
    const measured = (await inTurns(sides, Number(rounds))).map(medians);
    const memory = await Promise.all(serviceNames.map((name) => mebibytes(shop.servicePids[name])));
    return report(new Map(names.map((name, index) => [name, measured[index]])), Math.max(...memory));
  } finally {
    await shop.stop();
  }
}

/** @returns the CPU time of the Go original, divided by ours; undefined: it does not have the endpoint */
function shareOf([name, ours]) {
  const go = goOriginal[name];
  return go && (go.service + go.database) / (ours.service + ours.database);
}

const isReached = (share) => share >= 1 / ALLOWANCE;

function report(measured, largestMebibytes) {
  const rows = [...measured].map(([name, ours]) => {
    const go = goOriginal[name];
    const share = shareOf([name, ours]);
    const { service, database, redis, p99, rate } = ours;
    const reached = go && (isReached(share) ? 'yes' : 'no');
    return [name, service, go?.service, database, go?.database, redis, share, reached, p99, rate];
  });
  const head = ['endpoint', 'service', 'Go', 'database', 'Go', 'Redis', 'share', `≤ ${ALLOWANCE} × Go`, 'p99, ms'];
  const details = [
    `CPU time in milliseconds per request; Go: the original, measured on ${MEASURED}. The share is the Go original's CPU time of service and`,
    `database, divided by ours; an endpoint reaches it with at most ${ALLOWANCE} times its CPU time.`,
    '',
    markdownTable([...head, 'requests/s'], rows),
  ].join('\n');
  return { figures: [...cpuFigures(measured), ...overallFigures(measured, largestMebibytes)], details };
}

function cpuFigures(measured) {
  const figures = [];
  for (const [part, aims] of [
    ['service', SERVICE_AIMS],
    ['database', DATABASE_AIMS],
  ]) {
    for (const [name, atMost] of Object.entries(aims)) {
      const value = measured.get(name)?.[part];
      if (value !== undefined) figures.push(figure(`${name}: CPU of the ${part}`, value, 'ms per request', { atMost }));
    }
  }
  return figures;
}

/** They need all endpoints. */
function overallFigures(measured, largestMebibytes) {
  if (measured.size < Object.keys(endpoints).length) return [];
  const shares = [...measured].map((one) => [one[0], shareOf(one)]).filter(([, share]) => share !== undefined);
  const [worst, lowest] = shares.reduce((a, b) => (b[1] < a[1] ? b : a));
  const reached = shares.filter(([, share]) => isReached(share)).length;
  return [
    figure(`endpoints with at most ${ALLOWANCE} times the CPU of the Go original`, reached, `of ${shares.length}`, {
      atLeast: AT_LEAST.endpoints,
    }),
    figure(`${worst}, the worst: CPU of the Go original, as a share of ours`, lowest, 'share', {
      atLeast: AT_LEAST.share,
    }),
    figure('the largest service after load', largestMebibytes, 'MiB', { atMost: LARGEST_MIB }),
  ];
}
