import { type Connection, escapeId, escape as escapeValue, type RowDataPacket } from 'mysql2';
import type { Connection as PromiseConnection } from 'mysql2/promise';
import { BackupError } from './errors';

/** A table, and how each of its columns is written. */
export interface Table {
  name: string;
  columns: { name: string; encode: (bytes: Buffer) => string }[];
}

/** What a dump cannot hold. Only what the user may see: a user with no more than SELECT sees no triggers, events and routines. */
const FIND_UNSUPPORTED = `
  SELECT CONCAT(LOWER(table_type), ' ', table_name) AS found FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type <> 'BASE TABLE'
  UNION ALL SELECT CONCAT('table ', table_name, ' with engine ', engine) FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine <> 'InnoDB'
  UNION ALL SELECT CONCAT('FLOAT column ', table_name, '.', column_name) FROM information_schema.columns
    WHERE table_schema = DATABASE() AND data_type = 'float'
  UNION ALL SELECT CONCAT('trigger ', trigger_name) FROM information_schema.triggers WHERE trigger_schema = DATABASE()
  UNION ALL SELECT CONCAT('event ', event_name) FROM information_schema.events WHERE event_schema = DATABASE()
  UNION ALL SELECT CONCAT(LOWER(routine_type), ' ', routine_name) FROM information_schema.routines
    WHERE routine_schema = DATABASE()`;

/** Without generated columns: the server computes their values again. */
const LIST_COLUMNS = `
  SELECT c.table_name AS tableName, c.column_name AS name, c.data_type AS type
  FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
  WHERE c.table_schema = DATABASE() AND t.table_type = 'BASE TABLE'
    AND COALESCE(c.generation_expression, '') = ''
  ORDER BY c.table_name, c.ordinal_position`;

/** @throws BackupError if the database has something that the dump would leave out or change */
export async function listTables(connection: PromiseConnection): Promise<Table[]> {
  const [unsupported] = await connection.query<RowDataPacket[]>(FIND_UNSUPPORTED);
  if (unsupported.length > 0) {
    const found = unsupported.map((row) => row.found).join(', ');
    throw new BackupError(
      `the database has what this backup cannot hold: ${found}. Use mysqldump or mariadb-dump for it.`,
    );
  }
  const [rows] = await connection.query<RowDataPacket[]>(LIST_COLUMNS);
  const tables = new Map<string, Table>();
  for (const row of rows) {
    const table: Table = tables.get(row.tableName) ?? { name: row.tableName, columns: [] };
    table.columns.push({ name: row.name, encode: encoderOf(row.type) });
    tables.set(table.name, table);
  }
  if (tables.size === 0) throw new BackupError('the database has no table that this user may read');
  return [...tables.values()];
}

const NUMBERS = /^(?:tinyint|smallint|mediumint|int|bigint|decimal|double|year)$/;
const BYTES = /^(?:.*binary|.*blob|bit|geometry|point|linestring|polygon|multi.*|geom.*)$/;

/** From the text that the server sends, so that nothing is rounded, moved to a time zone or parsed. */
function encoderOf(type: string): (bytes: Buffer) => string {
  if (NUMBERS.test(type)) return (bytes) => bytes.toString('latin1');
  if (BYTES.test(type)) return (bytes) => `X'${bytes.toString('hex')}'`;
  return (bytes) => escapeValue(bytes.toString('utf8'));
}

/** Also makes the file usable by hand: `zcat users.sql.gz | mysql DATABASE`. */
const HEADER = `SET NAMES utf8mb4, time_zone = '+00:00', foreign_key_checks = 0, unique_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\n`;

/** The server refuses statements larger than max_allowed_packet, at least 16 MiB. */
const STATEMENT_BYTES = 1 << 19;

/**
 * The statements that make the table and its rows. Each ends with a semicolon and a line break, which occur together nowhere else.
 * @param onRow called for each row
 */
export async function* dumpTable(
  connection: Connection,
  { name, columns }: Table,
  onRow: () => void,
): AsyncGenerator<string> {
  const [[shown]] = await connection.promise().query<RowDataPacket[]>(`SHOW CREATE TABLE ${escapeId(name)}`);
  yield `${HEADER}${shown?.['Create Table']};\n`;
  const names = columns.map((column) => escapeId(column.name, true)).join(', ');
  const insert = `INSERT INTO ${escapeId(name)} (${names}) VALUES `;
  let statement = '';
  for await (const row of streamRows(connection, `SELECT ${names} FROM ${escapeId(name)}`)) {
    onRow();
    const values = columns.map(({ encode }, index) => {
      const bytes = row[index];
      return bytes ? encode(bytes) : 'NULL';
    });
    statement += `${statement ? ',' : insert}(${values.join(',')})`;
    if (statement.length < STATEMENT_BYTES) continue;
    yield `${statement};\n`;
    statement = '';
  }
  if (statement) yield `${statement};\n`;
}

/** The rows as they arrive. The server waits while they are not read. */
async function* streamRows(connection: Connection, sql: string): AsyncGenerator<(Buffer | null)[]> {
  const query = connection.query({ sql, rowsAsArray: true, typeCast: (field) => field.buffer() });
  yield* query.stream() as AsyncIterable<(Buffer | null)[]>;
}
