import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Database } from '@shop/core/db';
import { aDatabase, aGate, closeDatabases, connectionId, eventually, write } from '@shop/testing';

/** DB_PASS_FILE, while the password of the user changes. */

const file = path.join(process.env.SHOP_TEST_DIR ?? '', `db-pass-${randomUUID()}`);
const user = `rotated_${randomUUID().slice(0, 8)}`;
let db: Database;

const onServer = (password: string) => write(`ALTER USER ${user}@'%' IDENTIFIED BY '${password}'`);

beforeEach(async () => {
  await write(`CREATE USER ${user}@'%' IDENTIFIED BY 'first'`);
  await write(`GRANT ALL ON *.* TO ${user}@'%'`);
  await writeFile(file, 'first\n');
  ({ db } = aDatabase({ DB_USER: user, DB_PASS_FILE: file, DB_POOL_SIZE: '2' }));
});
afterEach(async () => {
  await closeDatabases();
  await write(`DROP USER ${user}@'%'`);
});

/** Needs a second connection, because the first one is busy. */
async function throughNewConnection(): Promise<number> {
  const [held, freed] = [aGate(), aGate()];
  const holding = db.transaction(async () => {
    held.open();
    await freed.passed;
  });
  await held.passed;
  try {
    return await connectionId(db);
  } finally {
    freed.open();
    await holding;
  }
}

const denied = { code: 'database_unavailable', cause: { code: 'ER_ACCESS_DENIED_ERROR' } };

test('the server first: open connections live on, new ones fail until the file has the new password', async () => {
  const first = await connectionId(db);
  await onServer('second');
  await expect(throughNewConnection()).rejects.toMatchObject(denied);
  expect(await connectionId(db)).toBe(first);
  await writeFile(file, 'second\n');
  expect(await throughNewConnection()).not.toBe(first);
});

test('the file first: open connections live on, new ones fail until the server has the new password', async () => {
  const first = await connectionId(db);
  await writeFile(file, 'second');
  await expect(throughNewConnection()).rejects.toMatchObject(denied);
  expect(await connectionId(db)).toBe(first);
  await onServer('second');
  expect(await throughNewConnection()).not.toBe(first);
});

test('without any connection left, the database is used again as soon as both passwords are the same', async () => {
  await onServer('second');
  await expect(connectionId(db)).rejects.toMatchObject(denied);
  await writeFile(file, 'second');
  await eventually('a connection', () => connectionId(db).catch(() => undefined));
});

test.each([
  ['is missing', () => rm(file)],
  ['is empty', () => writeFile(file, '')],
])('while the file %s, its last content is used', async (_, spoil) => {
  await connectionId(db);
  await spoil();
  expect(await throughNewConnection()).toBeGreaterThan(0);
});
