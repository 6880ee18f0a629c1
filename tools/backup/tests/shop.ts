import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import type { Env } from '@shop/core/config';
import { createLogger } from '@shop/core/log';
import { storageSettings } from '@shop/core/storage';
import { createUploadStorage, newStoredName } from '@shop/shop';
import { aBareDatabase, type BareDatabase, testEnv } from '@shop/testing';
import type { RowDataPacket } from 'mysql2/promise';
import { makeBackup } from '../src/backup';
import { decryptWith, ENCRYPTED } from '../src/encryption';
import { type Manifest, tableFileName } from '../src/manifest';
import { readSettings } from '../src/settings';
import { openTarget, type Target } from '../src/target';

const logger = createLogger('backup', 'silent');

/** A database with the shop's tables, an empty storage, and an empty target. */
export interface ShopToBackUp {
  database: BareDatabase;
  env: Env;
  uploads: string;
  /** The target's folder. */
  folder: string;
  target: Target;
  /** What the last backup has printed. */
  printed: string[];
  backup(options?: { env?: Env; target?: Target; migrationWaitSeconds?: number }): Promise<Manifest>;
  /** Stores a file, and inserts its row. @returns its name */
  upload(content: string): Promise<string>;
  recorded(): Promise<Record<string, unknown>[]>;
}

export async function aShopToBackUp(overrides: Env = {}): Promise<ShopToBackUp> {
  const database = await aBareDatabase();
  await database.load('sql/schema.sql');
  await database.connection.query("INSERT INTO users (id, name, email) VALUES (7, 'Zoë', 'zoe@example.com')");
  const folder = path.join(await mkdtemp(path.join(tmpdir(), 'backup-target-')), 'shop');
  const uploads = path.join(await mkdtemp(path.join(tmpdir(), 'backup-uploads-')), 'uploads');
  const env = testEnv({ DB_NAME: database.name, UPLOAD_PATH: uploads, BACKUP_TARGET: folder, ...overrides });
  const target = openTarget(folder, readSettings(env), logger);
  const storage = createUploadStorage(storageSettings.parse(env), { logger });
  const shop: ShopToBackUp = {
    database,
    env,
    uploads,
    folder,
    target,
    printed: [],
    async backup({ env: more = {}, ...options } = {}) {
      shop.printed = [];
      const print = (line: string) => void shop.printed.push(line);
      return await makeBackup(readSettings({ ...env, ...more }), { target, storage, print, ...options });
    },
    async upload(content) {
      const name = newStoredName(7, 'txt');
      await storage.put(name, await storage.receive(bytesOf(content)));
      await insertFile(database, name);
      return name;
    },
    recorded: () => database.rows('SELECT kind, size_bytes FROM backups ORDER BY id'),
  };
  return shop;
}

async function* bytesOf(content: string) {
  yield Buffer.from(content);
}

export const insertFile = (database: BareDatabase, name: string) =>
  database.rows(
    "INSERT INTO files (user_id, stored_name, original_name, content_type, size_bytes) VALUES (7, ?, 'a', 'text/plain', 1)",
    [name],
  );

/** The statements in a dump. */
export async function statementsOf(target: Target, { id, encrypted }: Manifest, table: string, identity = '') {
  const stored = await target.get(tableFileName(id, table, encrypted ? ENCRYPTED : ''));
  const zipped = encrypted ? await (await decryptWith(identity))(stored) : stored;
  return (await text(zipped.pipe(createGunzip()))).split(/(?<=;)\n/).filter(Boolean);
}

/** An empty database, and then all tables of a backup. */
export async function aDatabaseFrom(target: Target, manifest: Manifest, identity?: string): Promise<BareDatabase> {
  const database = await aBareDatabase();
  for (const { name } of manifest.tables) {
    for (const statement of await statementsOf(target, manifest, name, identity)) await database.rows(statement);
  }
  return database;
}

/** Each row of a table as the bytes that the server sends. */
export async function bytesIn(database: BareDatabase, table: string): Promise<string[]> {
  const sql = `SELECT * FROM ${table} ORDER BY 1`;
  const query = { sql, rowsAsArray: true, typeCast: (field: { buffer(): Buffer | null }) => field.buffer() };
  const [rows] = await database.connection.query<RowDataPacket[]>(query);
  return rows.map((row) =>
    Object.values(row)
      .map((bytes: Buffer | null) => bytes?.toString('hex'))
      .join(),
  );
}

/** The names of all files below a folder. */
export const filesBelow = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
