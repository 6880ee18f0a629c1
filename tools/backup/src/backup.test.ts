import { createHash } from 'node:crypto';
import { readFile, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { newStoredName, REQUIRED_MIGRATION } from '@shop/shop';
import { type BareDatabase, dropBareDatabases, eventually } from '@shop/testing';
import { aDatabaseFrom, aShopToBackUp, bytesIn, filesBelow, insertFile } from '../tests/shop';
import { listBackups, readUploads } from './manifest';
import type { Target } from './target';

afterEach(dropBareDatabases);

const STATEMENT = 'INSERT INTO products (id, store_id, name, description, price, stock) VALUES (?, 7, ?, ?, 1, 0)';

async function twoProducts({ connection }: BareDatabase): Promise<void> {
  await connection.query("INSERT INTO stores (id, user_id, name) VALUES (7, 7, 'Store')");
  for (const id of [1, 2]) await connection.query(STATEMENT, [id, `Mug ${id}`, '']);
}

/** Changes stocks until it is stopped, each together with its movement. */
function startWriter({ connect }: BareDatabase) {
  let commits = 0;
  let stopping = false;
  const running = (async () => {
    const connection = await connect();
    while (!stopping) {
      const id = 1 + (commits % 2);
      await connection.query(
        `START TRANSACTION; UPDATE products SET stock = stock + 1 WHERE id = ${id};
         INSERT INTO stock_movements (product_id, reason, quantity) VALUES (${id}, 'edit', 1); COMMIT`,
      );
      commits += 1;
    }
  })();
  const after = async (more: number) => {
    const goal = commits + more;
    await eventually('the writer to commit', () => commits >= goal);
  };
  const stop = async () => {
    stopping = true;
    await running;
  };
  return { after, stop };
}

/** The target, with something that happens before each object is stored. */
const pausing = (target: Target, before: (name: string) => Promise<unknown>): Target => ({
  ...target,
  async put(name, content) {
    await before(name);
    return await target.put(name, content);
  },
});

test('a backup is of one moment, although writers commit throughout, and none of them waits for it', async () => {
  const shop = await aShopToBackUp();
  await twoProducts(shop.database);
  const writer = startWriter(shop.database);
  await writer.after(10);
  // Before each table, the writer makes progress: so it does not wait for the snapshot, which is open meanwhile.
  const manifest = await shop.backup({ target: pausing(shop.target, () => writer.after(5)) });
  await writer.stop();
  const copy = await aDatabaseFrom(shop.target, manifest);
  const stocks = await copy.rows('SELECT id, stock FROM products ORDER BY id');
  const movements = await copy.rows(
    'SELECT product_id AS id, CAST(SUM(quantity) AS SIGNED) AS stock FROM stock_movements GROUP BY product_id ORDER BY 1',
  );
  expect(stocks).toEqual(movements);
  expect(stocks[0]?.stock).toBeGreaterThanOrEqual(5);
});

test('the files are checkable without anything but a SHA-256, and the manifest says what is in them', async () => {
  const shop = await aShopToBackUp();
  const name = await shop.upload('hello');
  const manifest = await shop.backup();
  const { id } = manifest;
  const files = await filesBelow(shop.folder);
  const tables = manifest.tables.map((table) => `${id}/database/${table.name}.sql.gz`);
  expect(files).toEqual([...tables, `${id}/manifest.json`, `${id}/uploads.json.gz`, `uploads/${name}`].sort());
  expect(JSON.parse(await readFile(path.join(shop.folder, id, 'manifest.json'), 'utf8'))).toEqual(manifest);
  expect(manifest).toMatchObject({
    format: 1,
    appVersion: '0.2.0',
    schemaVersion: REQUIRED_MIGRATION,
    database: shop.database.name,
    encrypted: null,
    uploads: { files: 1, size: 5 },
  });
  expect(manifest.tables.find((table) => table.name === 'users')).toMatchObject({ rows: 1 });

  const uploads = await readUploads(shop.target, id);
  const listed = [
    ...manifest.tables.map((table) => ({ ...table, file: `${id}/database/${table.name}.sql.gz` })),
    ...uploads.map((upload) => ({ ...upload, file: `uploads/${upload.name}` })),
    { ...manifest.uploads.list, file: `${id}/uploads.json.gz` },
  ];
  for (const { file, size, sha256 } of listed) {
    const bytes = await readFile(path.join(shop.folder, file));
    expect([file, bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([file, size, sha256]);
  }
  expect(await shop.recorded()).toEqual([
    { kind: 'backup', size_bytes: manifest.uploads.size + manifest.tables.reduce((sum, { size }) => sum + size, 0) },
  ]);
});

describe('uploads', () => {
  test('are copied once, and a later backup lists them without copying', async () => {
    const shop = await aShopToBackUp();
    const first = await shop.upload('first');
    const { id } = await shop.backup();
    expect(shop.printed).toContain('1 uploads, 1 of them new');
    const second = await shop.upload('second');
    const puts: string[] = [];
    const next = await shop.backup({ target: pausing(shop.target, async (name) => puts.push(name)) });
    expect(shop.printed).toContain('2 uploads, 1 of them new');
    expect(puts.filter((name) => name.startsWith('uploads/'))).toEqual([`uploads/${second}`]);
    const listed = await readUploads(shop.target, next.id);
    expect(listed.map(({ name }) => name)).toEqual([first, second].sort());
    expect(listed).toEqual(expect.arrayContaining(await readUploads(shop.target, id)));
  });

  test('that were deleted since the snapshot are of the backup, if an earlier one copied them', async () => {
    const shop = await aShopToBackUp();
    const name = await shop.upload('content');
    await shop.upload('another');
    await shop.backup();
    await rm(path.join(shop.uploads, name));
    const { id } = await shop.backup();
    expect((await readUploads(shop.target, id)).map((upload) => upload.name)).toContain(name);
    expect(shop.printed.join()).not.toContain('warning: 1 uploads');
  });

  test('that are missing in the storage are a warning', async () => {
    const shop = await aShopToBackUp();
    await shop.upload('content');
    const lost = newStoredName(7, 'png');
    await insertFile(shop.database, lost);
    const manifest = await shop.backup();
    expect(manifest.uploads.files).toBe(1);
    expect(shop.printed).toContain(`warning: 1 uploads that the database lists are not in the storage (${lost})`);
  });

  test('that are all missing are an error: the settings name another storage', async () => {
    const shop = await aShopToBackUp();
    await insertFile(shop.database, newStoredName(7, 'png'));
    await expect(shop.backup()).rejects.toThrow('the database lists 1 uploads, but the storage is empty');
    expect(await shop.recorded()).toEqual([]);
    expect(await filesBelow(shop.folder)).toEqual([]);
  });

  test('of an interrupted backup are copied again', async () => {
    const shop = await aShopToBackUp();
    const name = await shop.upload('content');
    await shop.target.put(`uploads/${name}`, [Buffer.from('cont')]);
    const { id } = await shop.backup();
    expect(await readFile(path.join(shop.folder, 'uploads', name), 'utf8')).toBe('content');
    expect(await readUploads(shop.target, id)).toMatchObject([{ name, size: 7 }]);
  });
});

describe('encrypted', () => {
  async function keys() {
    const { generateX25519Identity, identityToRecipient } = await import('age-encryption');
    const identity = await generateX25519Identity();
    return { identity, BACKUP_RECIPIENT: await identityToRecipient(identity) };
  }

  test('a backup has no readable table or upload, and the secret key restores all of them', async () => {
    const shop = await aShopToBackUp();
    const { identity, BACKUP_RECIPIENT } = await keys();
    const name = await shop.upload('a secret upload');
    const manifest = await shop.backup({ env: { BACKUP_RECIPIENT } });
    expect(manifest.encrypted).toBe(BACKUP_RECIPIENT);
    for (const file of await filesBelow(shop.folder)) {
      const bytes = await readFile(path.join(shop.folder, file));
      const isPlain = /manifest.json$|uploads.json.gz$/.test(file);
      expect([file, bytes.subarray(0, 21).toString()]).toEqual([
        file,
        isPlain ? expect.not.stringContaining('age') : 'age-encryption.org/v1',
      ]);
      expect(file.endsWith('.age')).toBe(!isPlain);
    }
    expect(await readUploads(shop.target, manifest.id)).toMatchObject([{ name, encrypted: true }]);
    const copy = await aDatabaseFrom(shop.target, manifest, identity);
    expect(await bytesIn(copy, 'users')).toEqual(await bytesIn(shop.database, 'users'));
  });

  test('uploads stay as they were first copied', async () => {
    const shop = await aShopToBackUp();
    const name = await shop.upload('plain');
    await shop.backup();
    const { id } = await shop.backup({ env: { BACKUP_RECIPIENT: (await keys()).BACKUP_RECIPIENT } });
    expect(await readUploads(shop.target, id)).toMatchObject([{ name, encrypted: false }]);
  });
});

describe('old backups', () => {
  const TWO_DAYS_AGO = new Date(Date.now() - 2 * 86_400_000);
  const keepOne = { BACKUP_KEEP_LAST: '1', BACKUP_KEEP_DAILY: '0', BACKUP_KEEP_WEEKLY: '0' };

  test('are deleted after a successful one, with the uploads that only they name', async () => {
    const shop = await aShopToBackUp();
    const [gone, stays] = [await shop.upload('gone'), await shop.upload('stays')];
    const first = await shop.backup();
    await shop.database.rows('DELETE FROM files WHERE stored_name = ?', [gone]);
    await rm(path.join(shop.uploads, gone));
    for (const name of [gone, stays]) await utimes(path.join(shop.folder, 'uploads', name), TWO_DAYS_AGO, TWO_DAYS_AGO);
    const second = await shop.backup();
    expect((await listBackups(shop.target)).finished.map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(await filesBelow(shop.folder)).toContain(`uploads/${gone}`);

    const third = await shop.backup({ env: keepOne });
    expect(shop.printed).toContain(`deleted 2 old backups: ${first.id}, ${second.id}`);
    const left = await filesBelow(shop.folder);
    expect(left.filter((file) => !file.startsWith(third.id))).toEqual([`uploads/${stays}`]);
  });

  test('young uploads stay: another backup may be about to name them', async () => {
    const shop = await aShopToBackUp();
    await shop.backup();
    const name = newStoredName(7, 'png');
    await shop.target.put(`uploads/${name}`, [Buffer.from('x')]);
    await shop.backup({ env: keepOne });
    expect(await filesBelow(shop.folder)).toContain(`uploads/${name}`);
  });

  test('unfinished ones are deleted after a day', async () => {
    const shop = await aShopToBackUp();
    const idOf = (time: Date) => time.toISOString().replace(/\.\d+/, '').replaceAll(':', '-');
    const [old, young] = [idOf(TWO_DAYS_AGO), idOf(new Date(Date.now() - 3_600_000))];
    for (const id of [old, young]) {
      await shop.target.put(`${id}/database/users.sql.gz`, [Buffer.from('x')]);
    }
    await shop.backup();
    expect((await listBackups(shop.target)).unfinished).toEqual([young]);
  });

  test('stay if the new one fails', async () => {
    const shop = await aShopToBackUp();
    const { id } = await shop.backup();
    const full = pausing(shop.target, async (name) => {
      if (name.endsWith('uploads.json.gz')) throw new Error('no space left on device');
    });
    await expect(shop.backup({ target: full, env: keepOne })).rejects.toThrow('no space left on device');
    expect((await listBackups(shop.target)).finished.map((manifest) => manifest.id)).toEqual([id]);
    expect((await listBackups(shop.target)).unfinished).toEqual([]);
    expect(await shop.recorded()).toHaveLength(1);
  });
});

test('an outdated database is backed up too, and the success is not recorded', async () => {
  const shop = await aShopToBackUp();
  await shop.database.connection.query('DROP TABLE backups; DROP TABLE schema_migrations');
  expect(await shop.backup()).toMatchObject({ schemaVersion: null });
  expect(shop.printed.join('\n')).toContain('the database has no table backups yet (npm run migrate)');
});

test('two databases cannot share a target', async () => {
  const [shop, other] = [await aShopToBackUp(), await aShopToBackUp()];
  await shop.backup();
  await expect(other.backup({ target: shop.target })).rejects.toThrow(
    `the target has backups of the database ${shop.database.name}, and this one is ${other.database.name}`,
  );
});

test('a manifest that cannot be used stops the backup, before anything is deleted', async () => {
  const shop = await aShopToBackUp();
  const { id } = await shop.backup();
  await writeFile(path.join(shop.folder, id, 'manifest.json'), '{"format": 2}');
  await expect(shop.backup()).rejects.toThrow(`${id}/manifest.json cannot be used: a newer release made it (format 2)`);
});
