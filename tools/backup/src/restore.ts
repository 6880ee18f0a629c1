import { createLogger } from '@shop/core/log';
import { createUploadStorage, REQUIRED_MIGRATION } from '@shop/shop';
import type { Connection } from 'mysql2/promise';
import { parseCommandLine, targetOf } from './arguments';
import { connect } from './connect';
import { decryptWith } from './encryption';
import { BackupError, UsageError } from './errors';
import { assertReplaceable, clear, finish, loadTables, openChecked, type Source, useDatabase } from './load';
import { listBackups, type Manifest, readManifest, tableFileName } from './manifest';
import { planReplay } from './replay';
import { restoreUploads } from './restore-uploads';
import { readSettings, type Settings } from './settings';
import { openTarget, type Target } from './target';

export const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** `npm run restore`. @returns the exit code */
export async function restore(args: string[]): Promise<number> {
  const { positionals, values } = parseCommandLine(args, { until: { type: 'string' }, database: { type: 'string' } });
  // As the shop's user: that of the backups may not write.
  const settings: Settings = { ...readSettings(), BACKUP_DB_USER: undefined };
  const until = parseTime(values.until);
  const { database = settings.DB_NAME } = values;
  const source = await openSource(targetOf(positionals, settings), settings, until);
  const { manifest } = source;
  print(`restoring backup ${manifest.id} into database ${database} at ${settings.DB_HOST}:${settings.DB_PORT}`);
  const connection = await connectToServer(settings);
  try {
    const storage = createUploadStorage(settings, { logger: createLogger('restore', 'warn') });
    await restoreInto(connection, { settings, source, database, until, assertUsable: assertReplaceable });
    const { stored, kept, problems } = await restoreUploads(source, storage);
    print(`${stored} uploads restored, ${kept} were in the storage`);
    for (const problem of problems) print(`warning: the upload ${problem}`);
    await finish(connection);
    print(`the database ${database} has the data of ${until?.toISOString() ?? manifest.snapshotAt}`);
    if (!manifest.schemaVersion || manifest.schemaVersion < REQUIRED_MIGRATION) {
      print(`its schema is older than this release: run DB_NAME=${database} npm run migrate`);
    }
    return problems.length > 0 ? 1 : 0;
  } finally {
    connection.destroy();
  }
}

/** No database is selected yet: it may not exist. */
export const connectToServer = async (settings: Settings): Promise<Connection> =>
  (await connect({ ...settings, DB_NAME: 'information_schema' })).promise();

interface Restore {
  settings: Settings;
  source: Source;
  database: string;
  until: Date | undefined;
  /** Throws unless the database's content may be dropped. */
  assertUsable: (connection: Connection, database: string) => Promise<void>;
}

/** Loads the tables, and replays the binary log. The database stays marked as unfinished: call `finish`. */
export async function restoreInto(connection: Connection, options: Restore): Promise<void> {
  const { settings, source, database, until, assertUsable } = options;
  const { manifest } = source;
  const server = { ...settings, DB_NAME: 'information_schema' };
  const replay = until && (await planReplay(connection, { settings: server, manifest, until, database }));
  await useDatabase(connection, database, settings.BACKUP_DB_USER ?? settings.DB_USER);
  await assertUsable(connection, database);
  await clear(connection);
  await loadTables(connection, source);
  print(`${manifest.tables.length} tables loaded, with the data of ${manifest.snapshotAt}`);
  if (!replay) return;
  await replay.run(connection);
  print(`${replay.transactions} transactions of the binary log replayed, up to ${until.toISOString()}`);
}

/** @throws UsageError */
export function parseTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(time.getTime())) {
    throw new UsageError(`--until ${text}: expected a time with its zone, such as 2026-11-27T10:30:00Z`);
  }
  return time;
}

/** @param location a target, for its newest backup (with `until`: of those before), or a target and an id: `TARGET/ID` */
export async function openSource(location: string, settings: Settings, until: Date | undefined): Promise<Source> {
  const logger = createLogger('restore', 'warn');
  const [, folder = location, id] = /^(.*)\/(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)\/?$/.exec(location) ?? [];
  const target = openTarget(folder, settings, logger);
  const manifest = id ? await readManifest(target, id) : await newest(target, location, until);
  return { target, manifest, decrypt: await decryption(target, manifest, settings) };
}

async function newest(target: Target, location: string, until: Date | undefined): Promise<Manifest> {
  const { finished } = await listBackups(target);
  const found = finished.findLast(({ snapshotAt }) => !until || Date.parse(snapshotAt) < until.getTime());
  if (found) return found;
  const before = until && finished.length > 0 ? ` of a time before ${until.toISOString()}` : '';
  throw new BackupError(`${location} has no finished backup${before}`);
}

/** Tries the key on one file, so that a wrong one is noticed before anything is changed. */
async function decryption(
  target: Target,
  manifest: Manifest,
  { BACKUP_IDENTITY }: Settings,
): Promise<Source['decrypt']> {
  const decrypt = BACKUP_IDENTITY ? await decryptWith(BACKUP_IDENTITY) : undefined;
  const [first] = manifest.tables;
  if (!manifest.encrypted || !first) return decrypt;
  if (!decrypt) throw new BackupError(`backup ${manifest.id} is encrypted: set BACKUP_IDENTITY to its secret key`);
  const content = await openChecked(target, tableFileName(manifest.id, first.name, '.age'), first, decrypt);
  content.destroy();
  return decrypt;
}
