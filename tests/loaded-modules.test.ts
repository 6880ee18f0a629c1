import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { freePort, repoRoot, type ServiceName, serviceNames, serviceServer } from '@shop/test-servers';
import { loadRecorder, packagesOf, testEnv } from '@shop/testing';

/** What a service loads before its first request: each module costs memory in every replica, and time in every restart. */

/** Of a service that is ready, with every optional feature of production switched on except tracing and S3. */
async function loadedBy(service: ServiceName): Promise<string[]> {
  const recorder = loadRecorder();
  const server = serviceServer({
    service,
    index: 0,
    port: await freePort(),
    env: testEnv({ ...recorder.env, SMTP_HOST: 'localhost', GOOGLE_CLIENT_ID: 'a-client' }),
    logFile: path.join(process.env.SHOP_TEST_DIR ?? '', `loaded-${service}.log`),
    dieWithParent: true,
  });
  await server.start();
  await server.stop();
  return recorder.files();
}

/** The packages that the shop asks for itself. Which others these load is their own affair. */
function directDependencies(): Set<string> {
  const folders = ['packages', 'services'].flatMap((parent) =>
    readdirSync(path.join(repoRoot, parent)).map((name) => path.join(repoRoot, parent, name)),
  );
  const manifests = folders.map((folder) => JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')));
  const names = manifests.flatMap(({ dependencies = {} }) => Object.keys(dependencies));
  return new Set(names.filter((name) => !name.startsWith('@shop/')));
}

const everyService = [
  '@opentelemetry/api', // by prom-client
  'cookie',
  'cors',
  'express',
  'express-rate-limit',
  'helmet',
  'http-errors',
  'ioredis',
  'jsonwebtoken',
  'lru-cache',
  'multer',
  'mysql2',
  'pino',
  'prom-client',
  'send',
  'zod',
];
const alsoBy: { readonly [service in ServiceName]?: readonly string[] } = { auth: ['bcrypt', 'otpauth'] };

/** Made for the first reader of /docs or /openapi.json, and messages that no response contains. */
const notNeeded = /\/(docs\.js|docs-pages\.json|openapi\.js|zod\/v4\/locales\/(?!(index|en)\.cjs).+)$/;

let loaded: Record<string, string[]>;
beforeAll(async () => {
  const found = await Promise.all(serviceNames.map(async (name) => [name, await loadedBy(name)] as const));
  loaded = Object.fromEntries(found);
});

test.each(serviceNames)('%s loads only what it needs to start', (service) => {
  const files = loaded[service] ?? [];
  const direct = directDependencies();
  const expected = [...everyService, ...(alsoBy[service] ?? [])].sort();
  expect(packagesOf(files).filter((name) => direct.has(name))).toEqual(expected);
  expect(files.filter((file) => notNeeded.test(file))).toEqual([]);
});
