import type { Connection, RowDataPacket } from 'mysql2/promise';
import { type BinlogEvent, type BinlogPosition, readEvents } from './binlog-events';
import { type Change, FORMAT_DESCRIPTION, readTransactions } from './binlog-transactions';
import { connectionOptions } from './connect';
import { BackupError, reasonOf } from './errors';
import type { Manifest } from './manifest';
import type { Settings } from './settings';

/** How many transactions share one commit, which waits for the disk. */
const BATCH = 500;

const RIGHTS = {
  mysql: 'GRANT REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION_APPLIER ON *.* TO',
  mariadb: 'GRANT REPLICATION SLAVE, BINLOG MONITOR, BINLOG REPLAY ON *.* TO',
};

export interface Replay {
  /** How many database transactions were committed between the snapshot and the wanted time. */
  transactions: number;
  /** Makes their changes. `connection` uses the database, which has the data of the snapshot. */
  run(connection: Connection): Promise<void>;
}

interface ReplayOptions {
  settings: Settings;
  manifest: Manifest;
  /** Only what was committed before this time. */
  until: Date;
  /** The name of the database into which the backup is restored. */
  database: string;
}

/**
 * Reads the server's binary log from the snapshot to `until`, to find out whether it can be replayed. Changes nothing.
 * @param connection for the commands that the replay needs, so that a missing right is found now
 * @throws BackupError if it cannot be replayed
 */
export async function planReplay(connection: Connection, options: ReplayOptions): Promise<Replay> {
  const { settings, manifest, until, database } = options;
  const { server, database: from } = manifest;
  const start = await findStart(connection, options);
  const wanted = { from, to: database, until };
  const read = () =>
    readTransactions(ofTheSameServer(readEvents(connectionOptions(settings), start), manifest), wanted);
  let transactions = 0;
  const apply = applier(connection, server.flavour);
  try {
    for await (const transaction of read()) {
      await apply.format(transaction.format);
      transactions += 1;
    }
  } catch (error) {
    throw explained(error, options);
  }
  return {
    transactions,
    async run(target) {
      const applyTo = applier(target, server.flavour);
      let done = 0;
      await target.query('SET autocommit = 0');
      for await (const transaction of read()) {
        await applyTo.format(transaction.format);
        for (const change of transaction.changes) await applyTo.change(change);
        done += 1;
        if (done % BATCH === 0) await target.query('COMMIT');
      }
      await target.query('SET autocommit = 1');
    },
  };
}

/** @throws BackupError unless the server still has everything since the snapshot, as rows */
async function findStart(
  connection: Connection,
  { settings, manifest, until }: ReplayOptions,
): Promise<BinlogPosition> {
  const { binlog, server, snapshotAt, id } = manifest;
  const [[row]] = await connection.query<RowDataPacket[]>(
    'SELECT VERSION() AS version, @@log_bin AS logBin, @@binlog_format AS format, @@binlog_row_image AS image, UNIX_TIMESTAMP(NOW(3)) * 1000 AS now',
  );
  const problem = (text: string) => new BackupError(`--until is not possible: ${text}`);
  const flavour = /mariadb/i.test(String(row?.version)) ? 'mariadb' : 'mysql';
  if (until.getTime() <= Date.parse(snapshotAt)) {
    throw problem(`backup ${id} has the data of ${snapshotAt}, which is later. Use an earlier backup.`);
  }
  if (until.getTime() > Number(row?.now))
    throw problem('that time is in the future, by the clock of the database server');
  if (!binlog) throw problem(`the server wrote no binary log (log_bin) at the time of backup ${id}`);
  if (flavour !== server.flavour) throw problem(`the backup is of ${server.flavour}, and this server is ${flavour}`);
  if (Number(row?.logBin) === 0) throw problem('this server writes no binary log (log_bin)');
  if (row?.format !== 'ROW' || row?.image !== 'FULL') {
    throw problem(
      `the server needs binlog_format = ROW and binlog_row_image = FULL, but has ${row?.format} and ${row?.image}`,
    );
  }
  const files = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS').catch((error: unknown) => {
    throw explained(error, { settings, manifest });
  });
  const names = files[0].map((file) => String(file.Log_name));
  if (!names.includes(binlog.file)) {
    throw problem(
      `it needs the binary log from ${binlog.file} on, and the server has ${names[0]} to ${names.at(-1)}: the file was deleted ` +
        'since (binlog_expire_logs_seconds), or the server is a new one. Use a later backup, or restore without --until.',
    );
  }
  return binlog;
}

/** A new server begins with the same file names. @throws BackupError if the file was begun after the snapshot */
async function* ofTheSameServer(events: AsyncIterable<BinlogEvent>, { snapshotAt, id }: Manifest) {
  let isChecked = false;
  for await (const event of events) {
    const begun = new Date(event.seconds * 1000);
    if (event.type === FORMAT_DESCRIPTION && !isChecked && begun.getTime() > Date.parse(snapshotAt)) {
      throw new BackupError(
        `--until is not possible: the server's binary log begins at ${begun.toISOString()}, after backup ${id}. The server is a ` +
          'new one, or its log was reset. Restore without --until.',
      );
    }
    isChecked ||= event.type === FORMAT_DESCRIPTION;
    yield event;
  }
}

/** Makes changes on a connection, as mysqlbinlog and its client do. */
function applier(connection: Connection, flavour: Manifest['server']['flavour']) {
  let format: Buffer | undefined;
  return {
    async format({ bytes }: BinlogEvent): Promise<void> {
      if (format?.equals(bytes)) return;
      await connection.query(`BINLOG '${bytes.toString('base64')}'`);
      // BINLOG has set it to a value that does not fit a server with GTIDs.
      if (flavour === 'mysql') await connection.query("SET SESSION gtid_next = 'AUTOMATIC'");
      format = bytes;
    },
    async change(change: Change): Promise<void> {
      if ('events' in change) {
        await connection.query(`BINLOG '${change.events.toString('base64')}'`);
        return;
      }
      await connection.query(
        `SET foreign_key_checks = 0, sql_mode = 'NO_AUTO_VALUE_ON_ZERO', timestamp = ${change.seconds}`,
      );
      await connection.query(change.statement);
      await connection.query('SET timestamp = DEFAULT');
    },
  };
}

const DENIED = new Set(['ER_SPECIFIC_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_ERROR']);

function explained(error: unknown, { settings, manifest }: Pick<ReplayOptions, 'settings' | 'manifest'>): unknown {
  if (error instanceof BackupError) return error;
  const user = settings.BACKUP_DB_USER ?? settings.DB_USER;
  const isDenied = DENIED.has((error as NodeJS.ErrnoException).code ?? '');
  const help = isDenied ? ` As root, run: ${RIGHTS[manifest.server.flavour]} '${user}'@'%'` : '';
  return new BackupError(`--until is not possible: ${reasonOf(error)}.${help}`, { cause: error });
}
