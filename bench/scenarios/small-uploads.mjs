/**
 * Uploads of a PNG of 4 KB: CPU time of the file service per 1,000 of them, beside an Express app that only lets multer write the
 * file, alternately in one run. Fails above 3 times the reference.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cpuMs, median } from '../support/load.mjs';
import { startService } from '../support/shop.mjs';
import { uploadForm, workloads } from '../support/workloads.mjs';

const AT_MOST = 3;
const { upload } = workloads;

async function startReference() {
  const folder = await mkdtemp(path.join(tmpdir(), 'shop-bench-multer-'));
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = fork(new URL('../support/bare-multer.mjs', import.meta.url), [], { env });
  child.send({ folder });
  const [{ port }] = await once(child, 'message');
  const headers = { 'content-type': uploadForm.type };
  return {
    pid: child.pid,
    prepared: { request: { url: `http://127.0.0.1:${port}/`, method: 'POST', headers, body: uploadForm.body } },
    async stop() {
      child.disconnect();
      await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** @returns seconds of CPU time per 1,000 uploads */
async function cpuPerThousand({ pid, prepared }, seconds) {
  const before = await cpuMs(pid);
  const rate = await upload.run(prepared, seconds);
  return ((await cpuMs(pid)) - before) / (rate * seconds);
}

export async function run([seconds = '3', rounds = '5']) {
  const shop = await startService(upload.service, upload.settings);
  const reference = await startReference();
  const service = { pid: shop.pid, prepared: await upload.prepare(shop) };
  try {
    const pairs = [];
    for (let round = 0; round <= Number(rounds); round += 1) {
      pairs.push([await cpuPerThousand(service, Number(seconds)), await cpuPerThousand(reference, Number(seconds))]);
    }
    pairs.shift(); // the warm-up
    const [ours, bare] = [0, 1].map((side) => median(pairs.map((pair) => pair[side])));
    const ratio = median(pairs.map(([first, second]) => first / second));
    console.log(
      `CPU time per 1,000 uploads of 4 KB: file service ${ours.toFixed(2)} s, bare multer ${bare.toFixed(2)} s`,
    );
    console.log(`ratio: ${ratio.toFixed(2)} (at most ${AT_MOST})`);
    return ratio <= AT_MOST ? 0 : 1;
  } finally {
    await reference.stop();
    await shop.stop();
  }
}
