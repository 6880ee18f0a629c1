import { createDatabase } from '@shop/core/db';
import { createLogger } from '@shop/core/log';
import { createMetrics } from '@shop/core/metrics';
import { migrate, readMigrations } from '@shop/migrations';
import { migrationsFolder } from '@shop/shop';
import { type Connection, escapeId, type RowDataPacket } from 'mysql2/promise';
import { parseCommandLine, targetOf } from './arguments';
import { connect, connectionOptions } from './connect';
import { BackupError } from './errors';
import { finish } from './load';
import type { Manifest } from './manifest';
import { recordSuccess } from './record';
import { connectToServer, openSource, parseTime, print, restoreInto } from './restore';
import { checkSomeUploads } from './restore-uploads';
import { readSettings, type Settings } from './settings';

const SAMPLE = 50;

/**
 * `npm run restore:drill`: restores the newest backup into a scratch database, checks it, and drops it. What a drill that was
 * killed has left there is replaced. @returns the exit code
 */
export async function drill(args: string[]): Promise<number> {
  const { positionals, values } = parseCommandLine(args, { until: { type: 'string' } });
  const settings = readSettings();
  const until = parseTime(values.until);
  const started = performance.now();
  const source = await openSource(targetOf(positionals, settings), settings, until);
  const { manifest } = source;
  const database = `${settings.DB_NAME}_drill`;
  print(`restoring backup ${manifest.id} into the scratch database ${database}`);
  const connection = await connectToServer(settings);
  try {
    await restoreInto(connection, { settings, source, database, until, assertUsable: async () => undefined });
    await finish(connection);
    await audit(connection, { ...settings, DB_NAME: database });
    const { checked, problems } = await checkSomeUploads(source, SAMPLE);
    if (problems.length > 0) throw new BackupError(`${problems.length} of ${checked} uploads: ${problems.join('; ')}`);
    print(`${checked} of ${manifest.uploads.files} uploads read and checked`);
    await connection.query(`DROP DATABASE ${escapeId(database)}`);
    print(`recovery time: ${duration((performance.now() - started) / 1000)}, without copying the uploads`);
    print(await lossWindow(connection, manifest));
  } finally {
    connection.destroy();
  }
  await record(settings, manifest);
  print(`the drill of backup ${manifest.id} has succeeded`);
  return 0;
}

/** Migrates the scratch database first: the audit is of this release. */
async function audit(connection: Connection, settings: Settings): Promise<void> {
  await migrate(connection, await readMigrations(migrationsFolder), { log: print });
  const { countFaults, verifyStock } = await import('@shop/transaction');
  const { database: name, password, ssl: _, ...server } = connectionOptions(settings);
  const pool = {
    poolSize: 1,
    maxIdle: 1,
    maxLifetimeSeconds: 300,
    slowStatementMs: 0,
    fleetProcesses: 1,
    checkColumns: false,
    tls: settings.DB_TLS,
  };
  const deps = { logger: createLogger('drill', 'warn'), metrics: createMetrics('drill') };
  const db = createDatabase({ ...server, ...pool, name, password: () => password }, deps);
  try {
    const report = await verifyStock(db);
    const faults = countFaults(report);
    if (faults > 0)
      throw new BackupError(
        `the stock audit of the restored database found ${faults} faults: see npm run verify:stock`,
      );
    print(`${report.products} products, ${report.orders} transactions: all stock adds up`);
  } finally {
    await db.close();
  }
}

async function lossWindow(connection: Connection, { binlog, snapshotAt }: Manifest): Promise<string> {
  const age = duration((Date.now() - Date.parse(snapshotAt)) / 1000);
  const lost = `data loss window: ${age} if the server is lost (the age of the snapshot)`;
  const files = await connection.query<RowDataPacket[]>('SHOW BINARY LOGS').then(
    ([rows]) => rows.map((row) => String(row.Log_name)),
    (): string[] => [],
  );
  const isReplayable = binlog && files.includes(binlog.file);
  return `${lost}, ${isReplayable ? 'nothing with --until while it runs' : 'and the same with --until, because its binary log does not reach back that far'}`;
}

async function record(settings: Settings, { tables, uploads }: Manifest): Promise<void> {
  const connection = await connect(settings);
  const size = tables.reduce((total, table) => total + table.size, uploads.size);
  await recordSuccess(connection.promise(), 'restore_drill', size, print);
  connection.destroy();
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
