import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import { createFleet, type Fleet, type Release, repoRoot, type ServiceServer, serviceNames } from '@shop/test-servers';
import { aBareDatabase, aDatabase, type BareDatabase, closeDatabases, scrape, testEnv } from '@shop/testing';
import { countFaults, verifyStock } from '../services/transaction/src/ledger/verify-stock';
import { type Customers, startCustomers } from './support/customers';
import { eventually } from './support/eventually';
import { buildRelease, findPreviousRelease } from './support/previous-release';

/**
 * An upgrade as operators do it, and its rollback: with customers in the shop, the database is migrated below the previous
 * release, then every replica is replaced by this release and back. Two replicas of each service, behind the real Nginx.
 */

const CUSTOMERS = 3;
const REPLICAS = 2;

const previous = findPreviousRelease();
const missing = 'missing' in previous ? previous.missing : undefined;
// Set in CI, where a skipped test would go unnoticed.
const isRequired = process.env.REQUIRE_PREVIOUS_RELEASE === 'true';
if (missing) console.warn(`The upgrade from the previous release is not tested: ${missing}`);

let dir: string;
let database: BareDatabase;
let fleet: Fleet | undefined;
let customers: Customers | undefined;

afterEach(async () => {
  await customers?.stop();
  await fleet?.stop();
  await closeDatabases();
  await database?.drop();
});

(missing && !isRequired ? test.skip : test)('an upgrade and its rollback under traffic fail no request', async () => {
  if ('missing' in previous) throw new Error(previous.missing);
  dir = await mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'upgrade-'));
  const before: Release = { folder: path.join(dir, 'previous'), revision: previous.name };
  const after: Release = { folder: repoRoot, revision: 'this' };
  await buildRelease(previous.commit, before.folder);
  database = await aBareDatabase();
  for (const file of ['schema.sql', 'seed.sql']) {
    await database.connection.query(await readFile(path.join(before.folder, 'sql', file), 'utf8'));
  }
  fleet = await createFleet({
    runDir: dir,
    env: testEnv({
      DB_NAME: database.name,
      DB_POOL_SIZE: '5',
      UPLOAD_PATH: path.join(dir, 'uploads'),
      LOG_LEVEL: 'error',
    }),
    replicas: REPLICAS,
    listenAddress: '127.0.0.1',
    dieWithParent: true,
  });
  for (const instance of fleet.instances) instance.release = before;
  await fleet.start();

  customers = startCustomers(fleet.url, CUSTOMERS);
  await roundsOf(customers);
  await migrate(database.connection, await readMigrations(migrationsFolder));
  await roundsOf(customers);
  await replaceAll(fleet, customers, after);
  await replaceAll(fleet, customers, before);
  await customers.stop();

  await expectNoFailure(customers);
  const { db } = aDatabase({ DB_NAME: database.name });
  const report = await verifyStock(db);
  expect({ ...report, faults: countFaults(report) }).toMatchObject({ faults: 0 });
  expect(report.orders).toBeGreaterThan(CUSTOMERS);
});

/** Replaces the replicas of a service one after the other, and all services at the same time. */
async function replaceAll({ instance }: Fleet, customers: Customers, release: Release): Promise<void> {
  for (let index = 0; index < REPLICAS; index += 1) {
    await Promise.all(serviceNames.map((service) => replace(instance(service, index), release)));
    await roundsOf(customers);
    for (const service of serviceNames) expect(await answersOf(instance(service, index), release)).toBeGreaterThan(0);
  }
}

async function replace(instance: ServiceServer, release: Release): Promise<void> {
  expect(await instance.stop()).toEqual({ code: 0, signal: null });
  instance.release = release;
  await instance.start();
}

/** Waits until each customer has begun and completed a round, so that every kind of request was sent. */
async function roundsOf(customers: Customers): Promise<void> {
  const { rounds, failures } = customers;
  const wanted = rounds.map((completed) => completed + 2);
  const done = () => rounds.every((completed, customer) => completed >= (wanted[customer] ?? 0));
  await eventually('every customer to complete a round', () => failures.length > 0 || done());
  await expectNoFailure(customers);
}

/** Shows each failed request with what a service logged for it: the logs are gone after the test. */
async function expectNoFailure({ failures }: Customers): Promise<void> {
  if (failures.length === 0) return;
  await fleet?.stop(); // so that the logs are complete
  const ids = failures.flatMap((failure) => /"request_id":"(\w+)"/.exec(failure)?.[1] ?? []);
  const folder = path.join(dir, 'logs');
  const logs = await Promise.all((await readdir(folder)).map((file) => readFile(path.join(folder, file), 'utf8')));
  const logged = logs.flatMap((log) => log.split('\n')).filter((line) => ids.some((id) => line.includes(id)));
  expect({ failures, logged }).toEqual({ failures: [], logged: [] });
}

/** The number of requests that a replica has answered with success, if it runs this release. */
async function answersOf(instance: ServiceServer, { revision }: Release): Promise<number> {
  const samples = await scrape(instance.url);
  const runs = samples.find(({ name }) => name === 'shop_build_info')?.labels.revision;
  expect(runs).toBe(revision);
  return samples
    .filter(({ name, labels }) => name === 'http_requests_total' && labels.status?.startsWith('2'))
    .reduce((sum, { value }) => sum + value, 0);
}
