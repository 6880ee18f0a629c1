/**
 * What a replica costs before its first request: per service, milliseconds from spawn to the first 200 of /ready, and the CPU time and
 * the memory until then, beside a bare Express app. Medians of all rounds. The milliseconds also depend on what else the machine does.
 * After the last round all stay idle, until V8 has given back what only the start needed. The memory is RSS. PSS counts Node's own code
 * once for all processes that share it. `npm run bench -- start [ROUNDS] [IDLE SECONDS]`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { figure, markdownTable } from '../support/figures.mjs';
import { cpuMs, medians } from '../support/load.mjs';
import { startBackends } from '../support/shop.mjs';

const { freePort, portVariable, serviceNames } = createRequire(import.meta.url)('@shop/test-servers');

const AT_MOST = { ms: 400, mebibytes: 60, inAll: 360 };
const READY_WITHIN_MS = 30_000;
const POLL_MS = 5;
const root = fileURLToPath(new URL('../..', import.meta.url));
const BARE = 'bare Express';

export async function run([rounds = '5', idleSeconds = '60']) {
  const backends = await startBackends();
  const names = [BARE, ...serviceNames];
  const found = new Map(names.map((name) => [name, { rounds: [], idle: undefined }]));
  try {
    for (let round = 1; round <= Number(rounds); round += 1) {
      const started = [];
      try {
        for (const name of names) {
          const one = await start(name, backends.env);
          started.push(one);
          const { pid } = one.child;
          found.get(name).rounds.push({ ms: one.ms, cpu: await cpuMs(pid), rss: (await memoryOf(pid)).rss });
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
  const rows = [...found].map(([name, { rounds, idle }]) => ({ name, ...medians(rounds), idle }));
  const services = rows.filter(({ name }) => name !== BARE);
  const largest = (of) => Math.max(...services.map(of));
  const sum = (of) => services.map(of).reduce((a, b) => a + b);
  const head = [
    'process',
    'spawn to ready, ms',
    'CPU time, ms',
    'RSS when ready, MiB',
    'RSS idle, MiB',
    'PSS idle, MiB',
  ];
  const cells = rows.map(({ name, ms, cpu, rss, idle }) => [name, ms, cpu, rss, idle.rss, idle.pss]);
  return {
    figures: [
      figure(
        'the slowest service: spawn to ready',
        largest(({ ms }) => ms),
        'ms',
        { atMost: AT_MOST.ms },
      ),
      figure(
        'the largest idle service',
        largest(({ idle }) => idle.rss),
        'MiB',
        { atMost: AT_MOST.mebibytes },
      ),
      figure(
        'six idle services',
        sum(({ idle }) => idle.rss),
        'MiB',
        { atMost: AT_MOST.inAll },
      ),
      figure(
        'six idle services, shared pages counted once (PSS)',
        sum(({ idle }) => idle.pss),
        'MiB',
      ),
    ],
    details: `Idle: ${idleSeconds} s later.\n\n${markdownTable(head, cells)}`,
  };
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
  const mebibytesOf = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) / 1024;
  return { rss: mebibytesOf('Rss'), pss: mebibytesOf('Pss') };
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
