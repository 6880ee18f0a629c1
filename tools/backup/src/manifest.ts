import { json } from 'node:stream/consumers';
import { createGunzip } from 'node:zlib';
import { kindOfStoredName } from '@shop/shop';
import { z } from 'zod';
import { BackupError, reasonOf } from './errors';
import type { Target } from './target';

/*
 * The layout of a target:
 *   <id>/database/<table>.sql.gz[.age]   the statements that make the table and its rows
 *   <id>/uploads.json.gz                 which uploads belong to the backup
 *   <id>/manifest.json                   written last: a backup without it is unfinished
 *   uploads/<name>[.age]                 shared by all backups, because an upload never changes
 */

/** Increased when a release before could not restore the backup. */
const FORMAT = 1;

const digest = z.object({ size: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const time = z.iso.datetime();

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  id: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/),
  startedAt: time,
  /** When the snapshot was opened, by the clock of the database server. The backup has the data of this moment. */
  snapshotAt: time,
  finishedAt: time,
  appVersion: z.string(),
  /** The newest migration of the database. null: it has never been migrated. */
  schemaVersion: z.string().nullable(),
  server: z.object({ flavour: z.enum(['mariadb', 'mysql']), version: z.string() }),
  database: z.string(),
  /** The position of the binary log that belongs exactly to the snapshot. null: the server writes none. */
  binlog: z.object({ file: z.string(), position: z.int() }).nullable(),
  /** The public key, or null: the backup is not encrypted. */
  encrypted: z.string().nullable(),
  tables: z.array(digest.extend({ name: z.string().regex(/^\w+$/), rows: z.int().min(0) })),
  uploads: z.object({
    files: z.int().min(0),
    size: z.int().min(0),
    /** Of uploads.json.gz. */
    list: digest,
  }),
});

export type Manifest = z.output<typeof manifestSchema>;

const uploadSchema = digest.extend({
  name: z.string().refine((name) => kindOfStoredName(name) !== undefined, 'is not a stored name'),
  /** Whether it is encrypted, which depends on the settings when it was first copied. */
  encrypted: z.boolean(),
});

export type Upload = z.output<typeof uploadSchema>;

export const manifestName = (id: string) => `${id}/manifest.json`;
export const uploadListName = (id: string) => `${id}/uploads.json.gz`;
export const tableFileName = (id: string, table: string, suffix: string) => `${id}/database/${table}.sql.gz${suffix}`;
export const uploadsPrefix = 'uploads/';
export const uploadFileName = (name: string, suffix: string) => `${uploadsPrefix}${name}${suffix}`;

/** `2026-11-27T10-32-03Z`: sorts by time, and is a valid file name everywhere. */
export const backupId = (startedAt: Date) => startedAt.toISOString().replace(/\.\d+/, '').replaceAll(':', '-');

export const newManifest = (facts: Omit<Manifest, 'format'>): Manifest =>
  manifestSchema.parse({ format: FORMAT, ...facts });

export interface Backups {
  /** Oldest first. */
  finished: Manifest[];
  /** Ids of folders without a manifest: a backup that is running, or that was interrupted. */
  unfinished: string[];
}

export async function listBackups(target: Target): Promise<Backups> {
  const ids = new Map<string, boolean>();
  // All ids begin with the millennium, and the uploads are not listed.
  for await (const { name } of target.list('2')) {
    const id = name.split('/')[0] ?? '';
    ids.set(id, ids.get(id) === true || name === manifestName(id));
  }
  const sorted = [...ids].sort(([a], [b]) => (a < b ? -1 : 1));
  const finished: Manifest[] = [];
  for (const [id] of sorted.filter(([, isFinished]) => isFinished)) finished.push(await readManifest(target, id));
  return { finished, unfinished: sorted.filter(([, isFinished]) => !isFinished).map(([id]) => id) };
}

export async function readManifest(target: Target, id: string): Promise<Manifest> {
  const name = manifestName(id);
  try {
    const content = await json(await target.get(name));
    const format = z.object({ format: z.number() }).parse(content).format;
    if (format > FORMAT) throw new BackupError(`a newer release made it (format ${format})`);
    return manifestSchema.parse(content);
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new BackupError(`${name} cannot be used: ${reason}`, { cause: error });
  }
}

/** The uploads that belong to a backup. */
export async function readUploads(target: Target, id: string): Promise<Upload[]> {
  const name = uploadListName(id);
  try {
    const content = (await target.get(name)).pipe(createGunzip());
    return z.array(uploadSchema).parse(await json(content));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new BackupError(`${name} cannot be used: ${reason}`, { cause: error });
  }
}
