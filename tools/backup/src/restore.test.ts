import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import { storeService } from '@shop/store';
import { aBareDatabase, dropBareDatabases, eventually, rows, startApp } from '@shop/testing';
import { aDatabaseName, databaseExists, dropNamedDatabases, run, runUpTo, tablesIn } from '../tests/commands';
import { aShopToBackUp, filesBelow } from '../tests/shop';
import type { Manifest } from './manifest';

afterEach(dropBareDatabases);
afterEach(dropNamedDatabases);

/** Each table's rows, without what a restore renews. */
async function contentOf(database: string): Promise<Record<string, unknown>> {
  const tables = (await tablesIn(database)).filter((table) => table !== 'cache_generation');
  const content = tables.map(async (table) => [table, await rows(`SELECT * FROM ${database}.${table} ORDER BY 1`)]);
  return Object.fromEntries(await Promise.all(content));
}

/** A shop with a backup, and the environment of a restore with a storage of its own. */
async function aBackedUpShop() {
  const shop = await aShopToBackUp();
  await shop.database.rows("INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'Zoë''s;\n❤')");
  const uploaded = await shop.upload('hello');
  const content = await contentOf(shop.database.name);
  const manifest = await shop.backup();
  const storage = await mkdtemp(path.join(tmpdir(), 'restored-uploads-'));
  const env = { ...shop.env, UPLOAD_PATH: storage };
  const file = (name: string) => path.join(shop.folder, manifest.id, name);
  return { ...shop, env, manifest, uploaded, content, storage, file };
}

type BackedUpShop = Awaited<ReturnType<typeof aBackedUpShop>>;

const changeManifest = async ({ file }: BackedUpShop, change: (manifest: Manifest) => void) => {
  const manifest = JSON.parse(await readFile(file('manifest.json'), 'utf8'));
  change(manifest);
  await writeFile(file('manifest.json'), JSON.stringify(manifest));
};

const readiness = async (database: string) => {
  const app = await startApp(storeService, { DB_NAME: database });
  const { status, body } = await app.http.get('/ready');
  await app.close();
  return [status, body.code];
};

describe('a whole backup', () => {
  test('comes back with every row and every upload, into a database that did not exist', async () => {
    const shop = await aBackedUpShop();
    const name = aDatabaseName();
    const { code, stdout, stderr } = await run(shop.env, 'restore', shop.folder, '--database', name);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^1 uploads restored, 0 were in the storage$/m);
    expect(stdout).toMatch(new RegExp(`^the database ${name} has the data of ${shop.manifest.snapshotAt}$`, 'm'));
    expect(await contentOf(name)).toEqual(shop.content);
    expect(await readFile(path.join(shop.storage, shop.uploaded), 'utf8')).toBe('hello');
    expect(await readiness(name)).toEqual([200, undefined]);
  });

  test('makes every cached response of before invalid', async () => {
    const shop = await aBackedUpShop();
    await shop.database.rows("INSERT INTO cache_generation (id, generation) VALUES (1, 'before')");
    await shop.backup();
    const name = aDatabaseName();
    expect((await run(shop.env, 'restore', shop.folder, '--database', name)).code).toBe(0);
    const [row] = await rows<{ generation: string }>(`SELECT generation FROM ${name}.cache_generation`);
    expect(row?.generation).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('can be chosen by its id; an older schema is migrated afterwards', async () => {
    const shop = await aBackedUpShop();
    await changeManifest(shop, (manifest) => Object.assign(manifest, { schemaVersion: '0001_first_tables.sql' }));
    await shop.backup();
    const name = aDatabaseName();
    const chosen = path.join(shop.folder, shop.manifest.id);
    const { code, stdout } = await run(shop.env, 'restore', chosen, '--database', name);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`run DB_NAME=${name} npm run migrate`)]);
    expect(stdout).toContain(shop.manifest.id);
  });

  test('that is encrypted needs the secret key, and says so before it changes anything', async () => {
    const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
    const [identity, other] = [await generateX25519Identity(), await generateX25519Identity()];
    const shop = await aBackedUpShop();
    const upload = await shop.upload('secret');
    await shop.backup({ env: { BACKUP_RECIPIENT: await identityToRecipient(identity) } });
    const name = aDatabaseName();
    const attempt = (key: string) =>
      run({ ...shop.env, BACKUP_IDENTITY: key }, 'restore', shop.folder, '--database', name);
    expect((await attempt('')).stderr).toMatch(/backup \S+ is encrypted: set BACKUP_IDENTITY to its secret key\n$/);
    expect((await attempt(other)).stderr).toMatch(/cannot be decrypted with BACKUP_IDENTITY/);
    expect(await databaseExists(name)).toBe(false);
    expect(await attempt(identity)).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(path.join(shop.storage, upload), 'utf8')).toBe('secret');
  });
});

describe('the database', () => {
  test('is not touched if it has data', async () => {
    const shop = await aBackedUpShop();
    const { code, stderr } = await run(shop.env, 'restore', shop.folder);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /^restore failed: the database \S+ has data \(in table files\), .* --database NAME, or drop/,
      ),
    ]);
    expect(await tablesIn(shop.database.name)).not.toContain('unfinished_restore');
  });

  test('may have the tables of a shop that was never used', async () => {
    const shop = await aBackedUpShop();
    const fresh = await aBareDatabase();
    await fresh.load('sql/schema.sql');
    expect((await run(shop.env, 'restore', shop.folder, '--database', fresh.name)).code).toBe(0);
    expect(await contentOf(fresh.name)).toEqual(shop.content);
  });

  test('is not ready after a restore that was killed, and the next one starts again', async () => {
    const shop = await aBackedUpShop();
    const name = aDatabaseName();
    const args = ['restore', shop.folder, '--database', name];
    const stuck = await runUpTo(shop.file('database/users.sql.gz'), shop.env, ...args);
    await eventually('most tables to be loaded', async () => (await tablesIn(name)).includes('transactions'));
    const locked = await run(shop.env, ...args);
    expect(locked.stderr).toMatch(/^restore failed: another restore or migration of the database \S+ is running\./);
    await stuck.kill();

    expect(await readiness(name)).toEqual([503, 'restore_unfinished']);
    const { connection } = await aBareDatabase();
    await connection.query(`USE ${name}`);
    const attempt = migrate(connection, await readMigrations(migrationsFolder));
    await expect(attempt).rejects.toThrow('a restore into this database has not finished: run npm run restore again');

    expect(await run(shop.env, ...args)).toMatchObject({ code: 0, stderr: '' });
    expect(await contentOf(name)).toEqual(shop.content);
    expect(await readiness(name)).toEqual([200, undefined]);
  });
});

describe('what does not fit the manifest', () => {
  const damages: Record<string, [damage: (shop: BackedUpShop) => Promise<unknown>, expected: RegExp]> = {
    'a changed file of a table': [
      ({ file }) => appendFile(file('database/users.sql.gz'), Buffer.alloc(1)),
      /users\.sql\.gz cannot be loaded: .*was changed or damaged since the backup/,
    ],
    'a truncated file of a table': [
      async ({ file }) => {
        const users = file('database/users.sql.gz');
        await writeFile(users, (await readFile(users)).subarray(0, 50));
      },
      /users\.sql\.gz cannot be loaded: /,
    ],
    'a missing file of a table': [
      ({ file }) => rm(file('database/users.sql.gz')),
      /users\.sql\.gz cannot be loaded: ENOENT/,
    ],
    'another number of rows': [
      (shop) => changeManifest(shop, ({ tables }) => Object.assign(tables.at(-1) ?? {}, { rows: 9 })),
      /table users has 1 rows, and the manifest of the backup says 9/,
    ],
  };

  test.each(Object.entries(damages))('%s fails the restore', async (_, [damage, expected]) => {
    const shop = await aBackedUpShop();
    await damage(shop);
    const name = aDatabaseName();
    const { code, stderr } = await run(shop.env, 'restore', shop.folder, '--database', name);
    expect([code, stderr]).toEqual([1, expect.stringMatching(expected)]);
    expect(await tablesIn(name)).toContain('unfinished_restore');
  });

  test('a damaged upload is reported; all others and the database are restored', async () => {
    const shop = await aBackedUpShop();
    const [damaged, missing] = [await shop.upload('damaged'), await shop.upload('missing')];
    await shop.backup();
    await writeFile(path.join(shop.folder, 'uploads', damaged), 'DAMAGED');
    await rm(path.join(shop.folder, 'uploads', missing));
    const name = aDatabaseName();
    const { code, stdout } = await run(shop.env, 'restore', shop.folder, '--database', name);
    expect(code).toBe(1);
    expect(stdout).toContain('1 uploads restored');
    expect(stdout).toMatch(new RegExp(`warning: the upload ${damaged}: .* was changed or damaged`));
    expect(stdout).toMatch(new RegExp(`warning: the upload ${missing}: ENOENT`));
    expect((await filesBelow(shop.storage)).filter((file) => !file.startsWith('.'))).toEqual([shop.uploaded]);
    expect(await readiness(name)).toEqual([200, undefined]);
  });
});

test('an upload in the storage is never overwritten', async () => {
  const shop = await aBackedUpShop();
  await writeFile(path.join(shop.storage, shop.uploaded), 'newer');
  const { stdout } = await run(shop.env, 'restore', shop.folder, '--database', aDatabaseName());
  expect(stdout).toContain('0 uploads restored, 1 were in the storage');
  expect(await readFile(path.join(shop.storage, shop.uploaded), 'utf8')).toBe('newer');
});

test('wrong arguments print the usage', async () => {
  const shop = await aShopToBackUp();
  expect(await run(shop.env, 'restore', shop.folder)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has no finished backup/),
  });
  for (const time of ['yesterday', '2026-11-27T10:30:00', '2026-11-27']) {
    const { code, stderr } = await run(shop.env, 'restore', shop.folder, '--until', time);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/expected a time with its zone[\s\S]*usage:/)]);
  }
});
