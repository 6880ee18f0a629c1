/**
 * This checkout of the repository and another one, alternately in one run: cached reads and orders per second, and the CPU time
 * that the service takes for each. Fails if this one needs 10 % more CPU time than the other. For example:
 *   git worktree add ../before v0.1.0 && (cd ../before && npm ci && npm run build) && npm run bench -- compare ../before
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpuMs, median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';
import { workloads } from '../support/workloads.mjs';

const AT_MOST = 1.1;

export async function run([other, seconds = '3', rounds = '8']) {
  if (!other) throw new Error('usage: npm run bench -- compare ../another-checkout [seconds] [rounds]');
  const file = path.resolve(process.env.INIT_CWD ?? '.', other, 'bench/support/shop.mjs');
  const before = await import(pathToFileURL(file).href);
  let worst = 0;
  for (const [name, workload] of Object.entries(workloads)) {
    const sides = [];
    try {
      for (const start of [startService, before.startService]) sides.push(await startSide(workload, start));
      for (let round = 0; round <= Number(rounds); round += 1) {
        for (const side of sides) await measure(side, workload, Number(seconds));
      }
      const ratio = median(pairs(sides, 'cpu').map(([here, there]) => here / there));
      worst = Math.max(worst, ratio);
      for (const [index, label] of ['here ', 'there'].entries()) {
        const [rate, cpu] = ['rates', 'cpu'].map((key) => median(sides[index][key].slice(1)));
        console.log(`${name}, ${label}: ${Math.round(rate)} requests/s, ${Math.round(cpu)} µs of CPU time each`);
      }
      console.log(`${name}, CPU time: ${ratio.toFixed(2)} (at most ${AT_MOST})`);
    } finally {
      for (const { shop } of sides) await shop.stop();
    }
  }
  return worst <= AT_MOST ? 0 : 1;
}

async function startSide(workload, start) {
  const shop = await start(workload.service, workload.settings);
  return { shop, prepared: await workload.prepare(shop), rates: [], cpu: [] };
}

async function measure(side, workload, seconds) {
  const before = await cpuMs(side.shop.pid);
  const rate = await workload.run(side.prepared, seconds);
  side.rates.push(rate);
  side.cpu.push((((await cpuMs(side.shop.pid)) - before) * 1000) / (rate * seconds));
}

/** Round by round, without the first one, which warms up. */
const pairs = ([a, b], key) => a[key].slice(1).map((value, index) => [value, b[key][index + 1]]);
