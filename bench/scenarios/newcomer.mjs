/**
 * A newcomer's path, in seconds per step: from `git clone` of this checkout to an order placed in the browser. The first argument is another
 * repository to clone. Programs that are already installed, and npm's cache, make it faster; the first lines say what was there.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { launchBrowser } from '../../scripts/browser.mjs';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const MINUTES = 60_000;

export async function run([repository = root]) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'newcomer-'));
  const clone = path.join(folder, 'shop');
  const steps = [];
  let last = performance.now();
  const step = (name) => {
    const now = performance.now();
    steps.push([name, now - last]);
    console.log(`${((now - last) / 1000).toFixed(1).padStart(6)} s  ${name}`);
    last = now;
  };
  let shop;
  let browser;
  try {
    const { stdout: cache } = await execute('npm', ['config', 'get', 'cache']);
    console.log(`Node ${process.version}, npm's cache in ${cache.trim()}, ${os.cpus().length} cores`);
    last = performance.now();
    await execute('git', ['clone', '--quiet', repository, clone]);
    step('git clone');

    const env = { ...process.env, ...(await freePorts()) };
    const start = path.join(clone, 'run-services.sh');
    shop = spawn(start, { cwd: clone, env, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = linesOf(shop);
    await lines.first(/^settings:/);
    step('./run-services.sh: npm packages, build, storefront');
    await lines.first(/^ready$/);
    step('./run-services.sh: database, Redis, services, Nginx');
    const { stdout } = await execute(start, ['url'], { cwd: clone, env });
    const url = stdout.trim();
    await execute('npm', ['run', '--silent', 'demo', '--', url], { cwd: clone, env });
    step('npm run demo');

    browser = await launchBrowser();
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByRole('link', { name: 'Stoneware mug' }).waitFor();
    step('the shop in a browser');
    await order(page);
    step('sign up and order');
    console.log(`${(steps.reduce((sum, [, ms]) => sum + ms, 0) / 1000).toFixed(1).padStart(6)} s  in all`);
  } finally {
    await browser?.close();
    if (shop && shop.exitCode === null) {
      shop.kill('SIGINT');
      await once(shop, 'exit');
    }
    await rm(folder, { recursive: true, force: true });
  }
}

async function order(page) {
  await page.getByRole('link', { name: 'Stoneware mug' }).click();
  await page.getByRole('button', { name: 'Add to basket' }).click();
  await page.getByRole('link', { name: 'Open basket' }).click();
  await page.getByRole('button', { name: 'Sign up' }).click();
  const form = page.getByRole('form', { name: 'Sign up' });
  await form.getByLabel('Name').fill('Newcomer');
  await form.getByLabel('Email address').fill('newcomer@shop.example');
  await form.getByLabel('Phone number').fill('+49301234567');
  await form.getByLabel('Password').fill('correct horse');
  await form.getByRole('button', { name: 'Sign up' }).click();
  await page.getByLabel('Street and number').fill('Ringstr. 5');
  await page.getByLabel('Postal code').fill('10115');
  await page.getByLabel('City').fill('Berlin');
  await page.getByRole('button', { name: 'Save address' }).click();
  await page.getByRole('radio').waitFor();
  await page.getByRole('button', { name: 'Place order' }).click();
  await page.getByRole('heading', { name: 'Thank you' }).waitFor();
}

/** Waits for a line of a process, or for its end. */
function linesOf(child) {
  const lines = [];
  const reader = createInterface(child.stdout);
  reader.on('line', (line) => lines.push(line));
  const first = async (pattern) => {
    const signal = AbortSignal.timeout(10 * MINUTES);
    const ended = once(reader, 'close', { signal });
    while (!lines.some((line) => pattern.test(line))) {
      await Promise.race([once(reader, 'line', { signal }), ended]);
      if (child.exitCode !== null) throw new Error(`./run-services.sh ended:\n${lines.join('\n')}`);
    }
  };
  return { first };
}

/** Ports beside those of a shop that may be running here. */
async function freePorts() {
  const names = ['AUTH', 'PRODUCT', 'TRANSACTION', 'ADDRESS', 'STORE', 'FILE', 'GATEWAY', 'DB', 'REDIS'];
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String(server.address().port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return Object.fromEntries(names.map((name, index) => [`${name}_PORT`, ports[index]]));
}
