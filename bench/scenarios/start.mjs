/**
 * What a replica costs before its first request: per service, milliseconds from spawn to the first 200 of /ready, the CPU time
 * until then, and its memory some seconds later. Medians of all rounds, beside a bare Express app. Fails above multiples of its
 * CPU time and memory. The milliseconds also depend on what else the machine does.
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

const AT_MOST = { cpu: 4.5, mebibytes: 1.9 };
const READY_WITHIN_MS = 30_000;
const POLL_MS = 5;
const root = fileURLToPath(new URL('../..', import.meta.url));
const BARE = 'bare Express';

export async function run([rounds = '5', idleSeconds = '5']) {
  const backends = await startBackends();
  const names = [BARE, ...serviceNames];
  const found = new Map(names.map((name) => [name, { ms: [], cpu: [], mebibytes: [] }]));
  try {
    for (let round = 0; round < Number(rounds); round += 1) {
      const started = [];
      try {
        for (const name of names) {
          const one = await start(name, backends.env);
          started.push(one);
          found.get(name).ms.push(one.ms);
          found.get(name).cpu.push(await cpuMs(one.child.pid));
        }
        await sleep(Number(idleSeconds) * 1000);
        for (const { name, child } of started) found.get(name).mebibytes.push(await residentMebibytes(child.pid));
      } finally {
        await Promise.all(started.map(({ child }) => stop(child)));
      }
    }
  } finally {
    await backends.stop();
  }
  return report(found, process.version, idleSeconds);
}

function report(found, version, idleSeconds) {
  console.log(
    `Node ${version}, medians of ${found.get(BARE).ms.length} rounds, memory after ${idleSeconds} s without requests\n`,
  );
  console.log('| process | spawn to ready, ms | CPU time, ms | RSS, MiB |');
  console.log('| --- | --- | --- | --- |');
  const bare = found.get(BARE);
  const worst = { cpu: 0, mebibytes: 0 };
  for (const [name, { ms, cpu, mebibytes }] of found) {
    console.log(`| ${name} | ${median(ms).toFixed(0)} | ${median(cpu).toFixed(0)} | ${median(mebibytes).toFixed(1)} |`);
    worst.cpu = Math.max(worst.cpu, median(cpu) / median(bare.cpu));
    worst.mebibytes = Math.max(worst.mebibytes, median(mebibytes) / median(bare.mebibytes));
  }
  console.log(
    `\nthe largest multiples of bare Express: CPU time ${worst.cpu.toFixed(1)} (at most ${AT_MOST.cpu}), ` +
      `memory ${worst.mebibytes.toFixed(2)} (at most ${AT_MOST.mebibytes})`,
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

async function residentMebibytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
