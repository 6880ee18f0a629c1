import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { createLogger } from '@shop/core/log';
import type { Storage } from '@shop/core/storage';
import { releaseServerLock, takeServerLock } from '@shop/migrations';
import { createUploadStorage } from '@shop/shop';
import type { Connection, RowDataPacket } from 'mysql2';
import { z } from 'zod';
import { parseCommandLine, targetOf } from './arguments';
import { connect } from './connect';
import { dumpTable, listTables } from './dump';
import { ENCRYPTED, encryptFor, type Transform } from './encryption';
import { BackupError, reasonOf } from './errors';
import {
  type Backups,
  backupId,
  listBackups,
  type Manifest,
  manifestName,
  newManifest,
  tableFileName,
  uploadListName,
} from './manifest';
import { deleteBackup, prune } from './prune';
import { recordSuccess } from './record';
import { readSettings, type Settings } from './settings';
import { openSnapshot } from './snapshot';
import { openTarget, type Target } from './target';
import { copyUploads } from './uploads';

/** How long to wait while the database is migrated. */
const MIGRATION_WAIT_SECONDS = 300;

/** The server may need a moment to notice that a killed backup is gone. */
const OTHER_BACKUP_WAIT_SECONDS = 2;

/** `npm run backup`. @returns the exit code */
export async function backup(args: string[]): Promise<number> {
  const { positionals } = parseCommandLine(args, {});
  const settings = readSettings();
  const logger = createLogger('backup', 'warn');
  const location = targetOf(positionals, settings);
  const target = openTarget(location, settings, logger);
  const storage = createUploadStorage(settings, { logger });
  const print = (line: string) => process.stdout.write(`${line}\n`);
  const { id } = await makeBackup(settings, { target, storage, print });
  print(`backup ${id} in ${location} is complete`);
  return 0;
}

interface BackupDeps {
  target: Target;
  storage: Storage;
  print: (line: string) => void;
  migrationWaitSeconds?: number;
}

/** Makes a backup, records it in the database, and deletes old ones. */
export async function makeBackup(settings: Settings, deps: BackupDeps): Promise<Manifest> {
  const { target, print } = deps;
  const encrypt = settings.BACKUP_RECIPIENT ? await encryptFor(settings.BACKUP_RECIPIENT) : undefined;
  const connection = await connect(settings);
  try {
    await assertOnlyBackup(connection);
    const existing = await listBackups(target);
    assertSameDatabase(existing, settings.DB_NAME);
    const manifest = await write(connection, settings, { ...deps, encrypt, existing });
    await recordSuccess(connection.promise(), 'backup', sizeOf(manifest), print);
    const finished = [...existing.finished, manifest];
    await pruneAfter(manifest, target, { ...existing, finished }, settings, print);
    return manifest;
  } finally {
    connection.destroy();
  }
}

type WriteDeps = BackupDeps & { encrypt: Transform | undefined; existing: Backups };

/** Everything up to the manifest. After a failure, it deletes what it has written, so that a full target is not full for long. */
async function write(connection: Connection, settings: Settings, deps: WriteDeps): Promise<Manifest> {
  const { target, storage, encrypt, existing, print } = deps;
  const startedAt = await newStart(existing);
  const id = backupId(startedAt);
  try {
    const { referenced, ...database } = await dumpDatabase(connection, id, deps);
    const { uploads, copied, missing } = await copyUploads(referenced, { storage, target, encrypt, ...existing });
    print(`${uploads.length} uploads, ${copied} of them new`);
    if (missing.length > 0) {
      const examples = missing.slice(0, 3).join(', ');
      print(`warning: ${missing.length} uploads that the database lists are not in the storage (${examples})`);
    }
    const list = await target.put(uploadListName(id), gzip([JSON.stringify(uploads)]));
    const manifest = newManifest({
      id,
      startedAt: startedAt.toISOString(),
      ...database,
      finishedAt: new Date().toISOString(),
      appVersion,
      database: settings.DB_NAME,
      encrypted: settings.BACKUP_RECIPIENT ?? null,
      uploads: { files: uploads.length, size: sum(uploads), list },
    });
    await target.put(manifestName(id), [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)]);
    return manifest;
  } catch (error) {
    await deleteBackup(target, id).catch(() => undefined);
    throw error;
  }
}

async function dumpDatabase(connection: Connection, id: string, deps: WriteDeps) {
  const { target, encrypt, print } = deps;
  const sql = connection.promise();
  const waitSeconds = deps.migrationWaitSeconds ?? MIGRATION_WAIT_SECONDS;
  if (await takeServerLock(sql, 'migrations', waitSeconds)) {
    throw new BackupError(`the database is being migrated, for more than ${waitSeconds} s: try again later`);
  }
  const { writersWaitedMs, ...snapshot } = await openSnapshot(sql);
  const { binlog } = snapshot;
  print(`snapshot of ${snapshot.snapshotAt}, writers waited for at most ${writersWaitedMs} ms`);
  print(binlog ? `binary log: ${binlog.file}, ${binlog.position}` : NO_BINLOG);
  const tables: Manifest['tables'] = [];
  for (const table of await listTables(sql)) {
    let rows = 0;
    const content = gzip(dumpTable(connection, table, () => (rows += 1)));
    const name = tableFileName(id, table.name, encrypt ? ENCRYPTED : '');
    const digest = await target.put(name, encrypt ? await encrypt(Readable.from(content)) : content);
    tables.push({ name: table.name, rows, ...digest });
  }
  const isThere = (name: string) => tables.some((table) => table.name === name);
  const schemaVersion = isThere('schema_migrations') ? await readSchemaVersion(connection) : null;
  const referenced = new Set(isThere('files') && isThere('products') ? await listReferenced(connection) : []);
  await sql.query('COMMIT');
  await releaseServerLock(sql, 'migrations');
  print(`${tables.length} tables, ${tables.reduce((total, { rows }) => total + rows, 0)} rows, ${sum(tables)} bytes`);
  return { ...snapshot, tables, schemaVersion, referenced };
}

const NO_BINLOG =
  'the server writes no binary log (log_bin): restoring is possible to the moment of this snapshot only, not to a later one';

async function readSchemaVersion(connection: Connection): Promise<string | null> {
  const [[row]] = await connection.promise().query<RowDataPacket[]>('SELECT MAX(name) AS name FROM schema_migrations');
  return row?.name ?? null;
}

/** The names of the stored files in the snapshot: table files, and the images of table products. */
async function listReferenced(connection: Connection): Promise<string[]> {
  const [rows] = await connection
    .promise()
    .query<RowDataPacket[]>(
      'SELECT stored_name AS name FROM files UNION SELECT image FROM products WHERE image IS NOT NULL',
    );
  return rows.map(({ name }) => String(name));
}

async function assertOnlyBackup(connection: Connection): Promise<void> {
  const holder = await takeServerLock(connection.promise(), 'backups', OTHER_BACKUP_WAIT_SECONDS);
  if (holder !== undefined) {
    throw new BackupError(
      `another backup of this database is running. If its machine is gone, end its connection on the server with KILL ${holder}.`,
    );
  }
}

/** Two shops in one target would delete each other's backups. */
function assertSameDatabase({ finished }: Backups, database: string): void {
  const other = finished.find((manifest) => manifest.database !== database);
  if (other) {
    throw new BackupError(
      `the target has backups of the database ${other.database}, and this one is ${database}: use a target of its own`,
    );
  }
}

/** Ids have a precision of one second, so a second backup within the same second waits for the next one. */
async function newStart({ finished, unfinished }: Backups): Promise<Date> {
  const taken = new Set([...finished.map(({ id }) => id), ...unfinished]);
  for (;;) {
    const now = new Date();
    if (!taken.has(backupId(now))) return now;
    await sleep(100);
  }
}

async function pruneAfter(
  { id }: Manifest,
  target: Target,
  backups: Backups,
  { BACKUP_KEEP_LAST: last, BACKUP_KEEP_DAILY: daily, BACKUP_KEEP_WEEKLY: weekly }: Settings,
  print: (line: string) => void,
): Promise<void> {
  try {
    const deleted = await prune(target, backups, { last, daily, weekly });
    if (deleted.length > 0) print(`deleted ${deleted.length} old backups: ${deleted.join(', ')}`);
  } catch (error) {
    throw new BackupError(`the backup ${id} is complete, but old ones could not be deleted: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Starts when it is read, so that an error always has a reader. */
async function* gzip(content: Iterable<string> | AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const zipped = createGzip();
  // An error of `content` destroys `zipped`, and so reaches the reader.
  pipeline(content, zipped).catch(() => undefined);
  yield* zipped;
}

const sum = (files: readonly { size: number }[]): number => files.reduce((total, { size }) => total + size, 0);

const sizeOf = ({ tables, uploads }: Manifest): number => sum(tables) + uploads.size;

// The path is correct from both src/ and dist/.
const { version: appVersion } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(path.join(__dirname, '../package.json'), 'utf8')));
