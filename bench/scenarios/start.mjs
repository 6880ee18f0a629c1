/**
 * What a replica costs before its first request: per service, milliseconds from spawn to the first 200 of /ready, the CPU time
 * and the memory until then, beside a bare Express app. Medians of all rounds. Fails above multiples of the app's CPU time and
 * memory. The milliseconds also depend on what else the machine does. After the last round all stay idle, until V8 has given
 * back what only the start needed. The memory is RSS. PSS counts Node's own code once for all processes that share it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuMs, median } from '../support/load.mjs';
import { startBackends } from '../support/shop.mjs';

const { freePort, portVariable, serviceNames } = createRequire(import.meta.url)('@shop/test-servers');

const AT_MOST = { cpu: 4, mebibytes: 1.7 };
const READY_WITHIN_MS = 30_000;
const POLL_MS = 5;
const root = fileURLToPath(new URL('../..', import.meta.url));
const BARE = 'bare Express';

export async function run([rounds = '5', idleSeconds = '60']) {
  const backends = await startBackends();
  const names = [BARE, ...serviceNames];
  const found = new Map(names.map((name) => [name, { ms: [], cpu: [], mebibytes: [], idle: undefined }]));
  try {
    for (let round = 1; round <= Number(rounds); round += 1) {
      const started = [];
      try {
        for (const name of names) {
          const one = await start(name, backends.env);
          started.push(one);
          const { ms, cpu, mebibytes } = found.get(name);
          ms.push(one.ms);
          cpu.push(await cpuMs(one.child.pid));
          mebibytes.push((await memoryOf(one.child.pid)).rss);
        }
        if (round === Number(rounds)) {
          await sleep(Number(idleSeconds) * 1000);
          for (const { name, child } of started) found.get(name).idle = await memoryOf(child.pid);
        }
      } finally {
        await Promise.all(started.map(({ child }) => stop(child)));
      }
    }
  } finally {
    await backends.stop();
  }
  return report(found, idleSeconds);
}

function report(found, idleSeconds) {
  const bare = found.get(BARE);
  console.log(`Node ${process.version}, medians of ${bare.ms.length} rounds, idle is ${idleSeconds} s later\n`);
  console.log('| process | spawn to ready, ms | CPU time, ms | RSS when ready, MiB | RSS idle, MiB | PSS idle, MiB |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const worst = { cpu: 0, mebibytes: 0 };
  const together = { rss: 0, pss: 0 };
  for (const [name, { ms, cpu, mebibytes, idle }] of found) {
    const figures = [median(ms).toFixed(0), median(cpu).toFixed(0)];
    figures.push(...[median(mebibytes), idle.rss, idle.pss].map((mib) => mib.toFixed(1)));
    console.log(`| ${name} | ${figures.join(' | ')} |`);
    worst.cpu = Math.max(worst.cpu, median(cpu) / median(bare.cpu));
    worst.mebibytes = Math.max(worst.mebibytes, median(mebibytes) / median(bare.mebibytes));
    if (name === BARE) continue;
    together.rss += idle.rss;
    together.pss += idle.pss;
  }
  console.log(`\nthe services together, idle: RSS ${together.rss.toFixed(0)} MiB, PSS ${together.pss.toFixed(0)} MiB`);
  console.log(
    `the largest multiples of bare Express: CPU time ${worst.cpu.toFixed(1)} (at most ${AT_MOST.cpu}), ` +
      `memory when ready ${worst.mebibytes.toFixed(2)} (at most ${AT_MOST.mebibytes})`,
  );
  return worst.cpu <= AT_MOST.cpu && worst.mebibytes <= AT_MOST.mebibytes ? 0 : 1;
}

async function start(name, env) {
  const port = await freePort();
  const isBare = name === BARE;
  const from = performance.now();
  const child = spawn(process.execPath, [isBare ? 'bench/support/bare-express.mjs' : `services/${name}/dist/main.js`], {
    cwd: root,
    env: { ...process.env, ...env, ...(isBare ? {} : { [portVariable(name)]: String(port) }) },
    stdio: ['ignore', 'ignore', 'inherit', ...(isBare ? ['ipc'] : [])],
  });
  if (isBare) child.send({ text: '{}', type: 'application/json', port });
  while ((await statusOf(`http://127.0.0.1:${port}${isBare ? '/' : '/ready'}`)) !== 200) {
    if (child.exitCode !== null || performance.now() - from > READY_WITHIN_MS) {
      child.kill('SIGKILL');
      throw new Error(`${name} is not ready`);
    }
    await sleep(POLL_MS);
  }
  return { name, child, ms: performance.now() - from };
}

/** undefined: nothing responds. */
const statusOf = (url) =>
  new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: 1000 }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(undefined));
  });

/** MiB. */
async function memoryOf(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mebibytes = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) / 1024;
  return { rss: mebibytes('Rss'), pss: mebibytes('Pss') };
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
