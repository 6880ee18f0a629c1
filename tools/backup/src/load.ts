import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GENERATION_TABLE } from '@shop/core/cache';
import { MIGRATIONS_TABLE, UNFINISHED_RESTORE_TABLE } from '@shop/core/db';
import { takeServerLock } from '@shop/migrations';
import { type Connection, escapeId, type RowDataPacket } from 'mysql2/promise';
import { ENCRYPTED, type Transform } from './encryption';
import { BackupError, reasonOf } from './errors';
import { type Manifest, tableFileName } from './manifest';
import type { Digest, Target } from './target';

/** They have rows in a shop that was never used. */
const BOOKKEEPING = [MIGRATIONS_TABLE, GENERATION_TABLE, UNFINISHED_RESTORE_TABLE, 'backups'];

/** Creates the database if it is missing, selects it, and locks it against other restores and migrations. */
export async function useDatabase(connection: Connection, name: string, user: string): Promise<void> {
  try {
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS ${escapeId(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    );
    await connection.query(`USE ${escapeId(name)}`);
  } catch (error) {
    const rights = `As root, run: GRANT ALL ON ${escapeId(name)}.* TO '${user}'@'%'`;
    throw new BackupError(`the database ${name} cannot be used: ${reasonOf(error)}. ${rights}`, { cause: error });
  }
  const holder = await takeServerLock(connection, 'migrations', 0);
  if (holder === undefined) return;
  throw new BackupError(
    `another restore or migration of the database ${name} is running. If its machine is gone, end its connection on the server ` +
      `with KILL ${holder}.`,
  );
}

/** @throws BackupError unless the database has no data, or only what an unfinished restore has left behind */
export async function assertReplaceable(connection: Connection, name: string): Promise<void> {
  const tables = await listTables(connection);
  if (tables.includes(UNFINISHED_RESTORE_TABLE)) return;
  for (const table of tables.filter((one) => !BOOKKEEPING.includes(one))) {
    const [rows] = await connection.query<RowDataPacket[]>(`SELECT 1 FROM ${escapeId(table)} LIMIT 1`);
    if (rows.length === 0) continue;
    throw new BackupError(
      `the database ${name} has data (in table ${table}), and a restore never overwrites any: restore into another one with ` +
        '--database NAME, or drop this one first (DROP DATABASE)',
    );
  }
}

/** From now on no service is ready with this database, and no migration runs in it, until `finish`. */
export async function clear(connection: Connection): Promise<void> {
  await connection.query(`CREATE TABLE IF NOT EXISTS ${UNFINISHED_RESTORE_TABLE} (id INT PRIMARY KEY) ENGINE = InnoDB`);
  const old = (await listTables(connection)).filter((table) => table !== UNFINISHED_RESTORE_TABLE);
  await connection.query('SET foreign_key_checks = 0');
  if (old.length > 0) await connection.query(`DROP TABLE ${old.map((table) => escapeId(table)).join(', ')}`);
}

/** The restored rows are another state of the shop: no cached response from before may be used. */
export async function finish(connection: Connection): Promise<void> {
  if ((await listTables(connection)).includes(GENERATION_TABLE)) {
    await connection.query(`UPDATE ${GENERATION_TABLE} SET generation = UUID()`);
  }
  await connection.query(`DROP TABLE ${UNFINISHED_RESTORE_TABLE}`);
}

async function listTables(connection: Connection): Promise<string[]> {
  const [rows] = await connection.query<RowDataPacket[]>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  return rows.map(({ name }) => String(name));
}

export interface Source {
  target: Target;
  manifest: Manifest;
  /** Absent for a backup that is not encrypted. */
  decrypt: Transform | undefined;
}

/** @throws BackupError if a file is not the one of the manifest, or a table has another number of rows */
export async function loadTables(connection: Connection, { target, manifest, decrypt }: Source): Promise<void> {
  for (const { name, rows, ...digest } of manifest.tables) {
    const file = tableFileName(manifest.id, name, manifest.encrypted ? ENCRYPTED : '');
    try {
      const content = await openChecked(target, file, digest, manifest.encrypted ? decrypt : undefined);
      await pipeline(content, createGunzip(), async (text: AsyncIterable<Buffer>) => {
        for await (const statement of statementsIn(text)) await connection.query(statement);
      });
    } catch (error) {
      throw new BackupError(`${file} cannot be loaded: ${reasonOf(error)}`, { cause: error });
    }
    const [[found]] = await connection.query<RowDataPacket[]>(`SELECT COUNT(*) AS count FROM ${escapeId(name)}`);
    if (Number(found?.count) === rows) continue;
    throw new BackupError(`table ${name} has ${found?.count} rows, and the manifest of the backup says ${rows}`);
  }
}

/** A dumped statement ends with a semicolon and a line break, which occur together nowhere else. */
async function* statementsIn(text: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of text) {
    const parts = `${rest}${decoder.decode(chunk, { stream: true })}`.split(';\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest !== '') throw new BackupError('its last statement is incomplete');
}

/** Opens a file of the target. Reading it to its end fails unless it is the one of the manifest. */
export async function openChecked(
  target: Target,
  name: string,
  { size, sha256 }: Digest,
  decrypt?: Transform,
): Promise<Readable> {
  const stored = await target.get(name);
  async function* checked() {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of stored) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
    if (bytes !== size || hash.digest('hex') !== sha256) {
      throw new BackupError(`${name} was changed or damaged since the backup: its size or SHA-256 is another one`);
    }
  }
  const content = Readable.from(checked());
  return decrypt ? await decrypt(content) : content;
}
