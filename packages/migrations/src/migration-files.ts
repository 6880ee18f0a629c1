import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/** A problem that the operator, or the author of a migration, can fix. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

export type MigrationLog = (line: string) => void;

export interface Migration {
  /** The file's name, such as `0003_search_columns.sql`. */
  name: string;
  /** SHA-256 of the file, hex. */
  checksum: string;
  /** Checksums of the files that it replaces. A database on which one of them was applied is as good. */
  replaced: readonly string[];
  /** Run it in each later run too. */
  everyRun: boolean;
  /** Safe to repeat, also after it was interrupted. */
  up(connection: Connection, log: MigrationLog): Promise<void>;
}

/** A comment line of a file: it has the same result as another one, which was applied somewhere. */
const REPLACES = /^(?:--|\/\/) replaces: ([0-9a-f]{64})$/gm;

const FILE_NAME = /^(\d{4})_[a-z0-9_]+\.(sql|cjs)$/;

/**
 * Reads the migrations in a folder, in the order of their numbers. A `.sql` file holds statements (`docs/migrations.md` says how
 * to make them repeatable). A `.cjs` file exports `up(connection, log)`, and `everyRun = true` if later runs must repeat it.
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).sort();
  const numbers = new Set<string>();
  for (const name of names) {
    const number = FILE_NAME.exec(name)?.[1];
    if (!number) throw new MigrationError(`${name} is not named like 0001_add_a_column.sql or 0001_fill_a_column.cjs`);
    if (numbers.has(number))
      throw new MigrationError(`two migrations have the number ${number}: renumber the newer one`);
    numbers.add(number);
  }
  return await Promise.all(names.map((name) => readMigration(path.join(folder, name), name)));
}

async function readMigration(file: string, name: string): Promise<Migration> {
  const text = await readFile(file, 'utf8');
  const checksum = createHash('sha256').update(text).digest('hex');
  const replaced = [...text.matchAll(REPLACES)].map(([, other = '']) => other);
  if (name.endsWith('.cjs')) {
    const { up, everyRun = false } = require(file);
    return { name, checksum, replaced, everyRun, up };
  }
  const statements = parseStatements(text, name);
  return {
    name,
    checksum,
    replaced,
    everyRun: false,
    async up(connection) {
      for (const { guard, sql } of statements) {
        if (!guard || (await holds(connection, guard))) await connection.query(sql);
      }
    },
  };
}

type GuardKind = 'column' | 'index' | 'foreign key';

/** The statement runs only if this part of a table exists, or unless it does. */
interface Guard {
  word: 'if' | 'unless';
  kind: GuardKind;
  table: string;
  part: string;
}

interface MigrationStatement {
  /** The comment lines above it. */
  comments: string[];
  guard: Guard | undefined;
  sql: string;
}

const GUARD = /^-- (if|unless) (column|index|foreign key) (\w+)\.(\w+)$/;

/** A statement ends with a semicolon at the end of a line. A guard is a comment line above it. */
export function parseStatements(text: string, name: string): MigrationStatement[] {
  const statements: MigrationStatement[] = [];
  let comments: string[] = [];
  let guard: Guard | undefined;
  let lines: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('--')) {
      comments.push(line);
      guard = parseGuard(line, name) ?? guard;
      continue;
    }
    if (line.trim() !== '') lines.push(line);
    if (!line.trimEnd().endsWith(';')) continue;
    statements.push({ comments, guard, sql: lines.join('\n').trimEnd().slice(0, -1) });
    comments = [];
    guard = undefined;
    lines = [];
  }
  if (lines.length > 0) throw new MigrationError(`${name} does not end with a semicolon`);
  if (guard) throw new MigrationError(`${name} ends with a guard that has no statement`);
  return statements;
}

function parseGuard(line: string, name: string): Guard | undefined {
  if (!/^--\s*(if|unless)\b/i.test(line)) return undefined;
  const [, word, kind, table = '', part = ''] = GUARD.exec(line) ?? [];
  if (!word || !kind) {
    throw new MigrationError(`${name}: "${line}" is not a guard such as "-- unless column users.phone"`);
  }
  return { word: word as Guard['word'], kind: kind as GuardKind, table, part };
}

const FIND: Record<GuardKind, string> = {
  column:
    'SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?',
  index:
    'SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?',
  'foreign key': `SELECT 1 FROM information_schema.referential_constraints
     WHERE constraint_schema = DATABASE() AND table_name = ? AND constraint_name = ?`,
};

async function holds(connection: Connection, { word, kind, table, part }: Guard): Promise<boolean> {
  const [found] = await connection.query<RowDataPacket[]>(FIND[kind], [table, part]);
  return found.length > 0 === (word === 'if');
}
