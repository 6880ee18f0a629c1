import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { runJourney } from '@shop/journey';
import { freePort, portAnswers, repoRoot, spawnProcess, until } from '@shop/test-servers';
import { startTestFleet, type TestFleet } from './support/test-fleet';

/** The document in the hands of the tools that client authors use: see generators/README.md. */

const folder = path.join(__dirname, 'generators');

const DOCUMENT = '../../nginx/html/openapi.json';
const imagePath = path.join(repoRoot, 'docs/mug.png');
const run = promisify(execFile);

let shop: TestFleet;
// All these run beside the fleet's start and beside the tests that do not need them.
let lints: Promise<{ redocly: string; spectral: string }>;
let clients: Promise<void>;
beforeAll(async () => {
  await rm(path.join(folder, 'generated'), { recursive: true, force: true });
  // The other generators create their folders.
  await mkdir(path.join(folder, 'generated/openapi-zod-client'), { recursive: true });
  const starting = startTestFleet();
  lints = awaitedLater(lint());
  clients = awaitedLater(generateClients(starting));
  shop = await starting;
});
afterAll(async () => {
  await Promise.allSettled([lints, clients]);
  await shop?.stop();
});

/** A rejection before a test awaits the promise is not an unhandled one. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Runs a program of the folder's packages. @returns its output; throws if it fails */
async function tool(name: string, ...args: string[]): Promise<string> {
  const program = path.join(folder, 'node_modules/.bin', name);
  const env = { ...process.env, SHOP_URL: shop?.fleet.url, REDOCLY_TELEMETRY: 'off', DO_NOT_TRACK: '1' };
  try {
    const { stdout, stderr } = await run(program, args, { cwd: folder, env, timeout: 240_000 });
    return stdout + stderr;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${name} ${args.join(' ')} failed:\n${stdout}\n${stderr}`);
  }
}

async function lint() {
  const spectral = await tool('spectral', 'lint', '-r', 'spectral.yaml', '--fail-severity', 'hint', DOCUMENT);
  return { spectral, redocly: await tool('redocly', 'lint', '--config', 'redocly.yaml', DOCUMENT) };
}

async function generateClients(starting: Promise<TestFleet>): Promise<void> {
  const typescript = 'generated/openapi-typescript/shop.ts';
  await tool('openapi-typescript', DOCUMENT, '--default-non-nullable=false', '-o', typescript);
  await tool('openapi-ts', '-i', DOCUMENT, '-o', 'generated/hey-api', '-c', '@hey-api/client-fetch');
  await tool('openapi-zod-client', DOCUMENT, '--with-alias', '-o', 'generated/openapi-zod-client/shop.ts');
  shop = await starting;
  await tool('orval', '--config', 'orval.config.cjs');
  await tool('tsc', '-p', '.');
}

test('newman runs the Postman collection, and prism sees no violation of the document in it, nor in the journey', async () => {
  const port = await freePort();
  const prism = await spawnProcess({
    name: 'prism',
    command: path.join(folder, 'node_modules/.bin/prism'),
    args: ['proxy', '--errors', '--port', String(port), '--host', '127.0.0.1', DOCUMENT, shop.fleet.url],
    cwd: folder,
    logFile: path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'prism.log'),
    dieWithParent: true,
  });
  try {
    await until(() => portAnswers(port), { timeoutMs: 120_000, what: 'prism' });
    const baseUrl = `http://127.0.0.1:${port}`;
    const refused = await fetch(`${baseUrl}/api/v1/auth/register`, { method: 'POST' });
    expect(await refused.text()).toContain('https://stoplight.io/prism/errors');
    const report = await tool(
      'newman',
      'run',
      '../../docs/openapi/shop.postman_collection.json',
      '--env-var',
      `base_url=${baseUrl}`,
    );
    expect(report).toMatch(/assertions\W+24\W+0\W/);
    // Prism reads bodies as text, so this image has only ASCII characters.
    const asciiImage = path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'dot.gif');
    await writeFile(asciiImage, 'GIF89a\x01\0\x01\0\0\0\0;');
    await runJourney({ baseUrl, imagePath: asciiImage, print: () => undefined });
  } finally {
    prism.signalGroup('SIGTERM');
    await prism.exited;
  }
});

test('redocly (strict) and spectral have no warnings', async () => {
  const { redocly, spectral } = await lints;
  expect(redocly).toContain('is valid');
  expect(spectral).toContain('No results');
});

test.each(['openapi-typescript', 'hey-api', 'orval', 'openapi-zod-client'])(
  "%s's client compiles, and creates a product with its image",
  async (generator) => {
    await clients;
    const product = JSON.parse(await tool('tsx', `clients/${generator}.ts`, shop.fleet.url, imagePath));
    expect(product).toMatchObject({ name: 'Blue mug', price: 19.99, stock: 10, image_url: expect.any(String) });
    const image = await fetch(shop.fleet.url + product.image_url);
    expect(Buffer.from(await image.arrayBuffer())).toEqual(readFileSync(imagePath));
  },
);
