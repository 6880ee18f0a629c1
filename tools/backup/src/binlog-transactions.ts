import { crc32 } from 'node:zlib';
import { type BinlogEvent, HEADER_BYTES } from './binlog-events';
import { BackupError } from './errors';

/** The types of events that matter (MySQL: libs/mysql/binlog/event, MariaDB: sql/log_event.h). */
const QUERY = 2;
export const FORMAT_DESCRIPTION = 15;
const XID = 16;
const TABLE_MAP = 19;
const ROWS = new Set([23, 24, 25, 30, 31, 32, 39]);
/** Begins a database transaction or a single statement: of MySQL 8.0, and of MariaDB. */
const GTID = new Set([33, 34, 42, 162]);
/** MySQL's binlog_transaction_compression, MariaDB's log_bin_compress, and XA. */
const UNSUPPORTED = new Map([
  [40, 'a compressed transaction (binlog_transaction_compression)'],
  ...[165, 166, 167, 168, 169, 170, 171].map((type) => [type, 'a compressed event (log_bin_compress)'] as const),
  [38, 'an XA transaction'],
]);

const END_OF_STATEMENT = 1;

/** Changed rows of one statement, as events for the statement BINLOG, or a statement that changes tables. */
export type Change = { events: Buffer } | { statement: string; seconds: number };

export interface LoggedTransaction {
  /** Those of the wanted database. */
  changes: Change[];
  /** The event with which BINLOG must begin. */
  format: BinlogEvent;
}

interface Wanted {
  /** Whose changes are wanted. */
  from: string;
  /** In which they are to be made. */
  to: string;
  /** Only database transactions whose COMMIT began before this time. */
  until: Date;
}

/**
 * Puts the events together to database transactions, in the order of their commits.
 * @throws BackupError for a change that cannot be made in the other database
 */
export async function* readTransactions(
  events: AsyncIterable<BinlogEvent>,
  wanted: Wanted,
): AsyncGenerator<LoggedTransaction> {
  let format: BinlogEvent | undefined;
  let changes: Change[] = [];
  let statement: Buffer[] = [];
  /** The ids of the wanted tables that the running statement changes. */
  const tables = new Set<number>();
  for await (const event of events) {
    const { type, seconds, bytes } = event;
    if (seconds * 1000 >= wanted.until.getTime()) return;
    const unsupported = UNSUPPORTED.get(type);
    if (unsupported) throw new BackupError(`the binary log has ${unsupported} ${at(event)}, which cannot be replayed`);
    if (type === FORMAT_DESCRIPTION) format = event;
    if (!format) continue;
    if (GTID.has(type)) changes = [];
    if (type === TABLE_MAP && databaseOfTableMap(bytes) === wanted.from) {
      tables.add(tableId(bytes));
      statement.push(withDatabase(bytes, wanted.to, checksumBytes(format)));
    }
    if (ROWS.has(type)) {
      if (tables.has(tableId(bytes))) statement.push(bytes);
      if (bytes.readUInt16LE(HEADER_BYTES + 6) & END_OF_STATEMENT) {
        if (statement.length > 0) changes.push({ events: Buffer.concat(statement) });
        statement = [];
        tables.clear();
      }
    }
    const query = type === QUERY ? parseQuery(bytes, checksumBytes(format)) : undefined;
    if (query && /^ROLLBACK$/i.test(query.text)) changes = [];
    const ends = type === XID || (query && /^COMMIT$/i.test(query.text));
    if (query && !ends && changesTables(query, event, wanted)) {
      // It commits implicitly.
      yield { changes: [...changes, { statement: query.text, seconds }], format };
      changes = [];
    }
    if (ends) {
      yield { changes, format };
      changes = [];
    }
  }
}

const at = ({ seconds }: BinlogEvent) => `of ${new Date(seconds * 1000).toISOString().replace('.000', '')}`;

const tableId = (bytes: Buffer) => bytes.readUIntLE(HEADER_BYTES, 6);

/** After the table's id and two bytes of flags. */
const DATABASE_LENGTH = HEADER_BYTES + 8;

function databaseOfTableMap(bytes: Buffer): string {
  const start = DATABASE_LENGTH + 1;
  return bytes.toString('utf8', start, start + bytes.readUInt8(DATABASE_LENGTH));
}

/** The length of the checksum at the end of each event. The format description itself always has one, after the kind. */
const checksumBytes = ({ bytes }: BinlogEvent): number => (bytes.at(-5) === 0 ? 0 : 4);

/** The same event for a table of another database. */
function withDatabase(bytes: Buffer, name: string, checksum: number): Buffer {
  const rest = bytes.subarray(DATABASE_LENGTH + 1 + bytes.readUInt8(DATABASE_LENGTH));
  const database = Buffer.from(name);
  const head = [bytes.subarray(0, DATABASE_LENGTH), Buffer.from([database.length]), database];
  const changed = Buffer.concat([...head, rest]);
  changed.writeUInt32LE(changed.length, 9);
  if (checksum > 0) changed.writeUInt32LE(crc32(changed.subarray(0, -checksum)), changed.length - checksum);
  return changed;
}

interface Query {
  database: string;
  text: string;
}

function parseQuery(bytes: Buffer, checksum: number): Query {
  const content = bytes.subarray(HEADER_BYTES, bytes.length - checksum);
  const databaseStart = 13 + content.readUInt16LE(11);
  const databaseEnd = databaseStart + content.readUInt8(8);
  return {
    database: content.toString('utf8', databaseStart, databaseEnd),
    text: content.toString('utf8', databaseEnd + 1).trim(),
  };
}

const TABLES =
  /^(?:(?:CREATE|ALTER|DROP|RENAME)\s+(?:OR\s+REPLACE\s+)?(?:(?:UNIQUE|FULLTEXT|SPATIAL)\s+)?(?:TABLE|INDEX)|TRUNCATE)\b/i;
/** Without an effect on the database's rows and columns. */
const HARMLESS =
  /^(?:BEGIN|START|SAVEPOINT|RELEASE|ROLLBACK|GRANT|REVOKE|(?:CREATE|ALTER|DROP|RENAME)\s+(?:USER|ROLE)|SET|FLUSH|ANALYZE|OPTIMIZE|REPAIR|DROP\s+TEMPORARY|CREATE\s+DATABASE)\b/i;

/** @returns whether the statement has to run again @throws BackupError if it has to, but cannot */
function changesTables({ database, text }: Query, event: BinlogEvent, { from, to }: Wanted): boolean {
  const words = text.replaceAll('`', '').split(/[^\w$.-]+/);
  const isNamed = words.some((word) => word === from || word.startsWith(`${from}.`));
  if (database !== from && !isNamed) return false;
  const bare = text.replace(/\/\*(?:!\d*([\s\S]*?)|[\s\S]*?)\*\//g, ' $1 ').trim();
  if (HARMLESS.test(bare)) return false;
  // A statement that names its database would change that one again.
  if (TABLES.test(bare) && (from === to || !isNamed)) return true;
  throw new BackupError(
    `the statement "${bare.slice(0, 100)}" ${at(event)} cannot be replayed into database ${to}: restore to that time or earlier`,
  );
}
