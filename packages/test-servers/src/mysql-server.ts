import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type OwnDatabaseSettings, probeDatabase } from './database';
import { socketPath } from './lock';
import { asRoot, ensureDataDir, type MysqlProgram, mysqlProgram, redoLogOptions } from './mysql-data';
import { freePort } from './ports';
import { type Server, type ServerEvents, server } from './server';

export interface MysqlOptions extends ServerEvents {
  /** For its data, socket and (unless logFile is set) log. Kept between runs. */
  dir: string;
  port?: number;
  user?: string;
  password?: string;
  database?: string;
  maxConnections?: number;
  bufferPoolMiB?: number;
  /** Gives the user all privileges: tests create databases and change server-wide settings. */
  superuser?: boolean;
  /** For tests: a folder of initialized data folders. Copying one takes a second instead of several. */
  templates?: string;
  logFile?: string | undefined;
  /** Writes one, as in production. Without it commits are faster. */
  binaryLog?: boolean;
  extraArgs?: string[];
  dieWithParent?: boolean | undefined;
}

export interface MysqlServer extends Server {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly program: MysqlProgram;
  /** For applySql or mysql2. */
  readonly settings: OwnDatabaseSettings;
}

/** Our own MariaDB or MySQL server on loopback, not started yet. */
export async function mysqlServer(options: MysqlOptions): Promise<MysqlServer> {
  const program = await mysqlProgram();
  const dir = path.resolve(options.dir);
  const settings = {
    host: '127.0.0.1',
    port: options.port ?? (await freePort()),
    user: options.user ?? 'user',
    password: options.password ?? 'password',
    database: options.database ?? 'ecommerce',
  };
  const dataDir = path.join(dir, program.flavour);
  const initFile = path.join(dir, 'init.sql');
  // A starting server deletes all temporary tables in this folder, even those of another server, so it is not shared.
  const tmpDir = path.join(dir, 'tmp');

  const base = server({
    name: program.flavour,
    host: settings.host,
    port: settings.port,
    logFile: options.logFile ?? path.join(dir, 'server.log'),
    stopGraceMs: 30_000,
    ready: async () => (await probeDatabase(settings)).state === 'answers',
    launch: async () => {
      await mkdir(tmpDir, { recursive: true, mode: 0o700 });
      await ensureDataDir(program, dataDir, options.templates);
      await writeFile(initFile, initSql(settings, globalRights(program, options)), { mode: 0o600 });
      return {
        command: program.binary,
        cwd: dir,
        dieWithParent: options.dieWithParent,
        args: [
          '--no-defaults',
          ...asRoot(),
          ...redoLogOptions(program),
          `--datadir=${dataDir}`,
          `--tmpdir=${tmpDir}`,
          `--init-file=${initFile}`,
          `--bind-address=${settings.host}`,
          `--port=${settings.port}`,
          `--socket=${socketPath(path.join(dir, 'server.sock'))}`,
          `--pid-file=${path.join(dir, 'server.pid')}`,
          '--skip-name-resolve',
          ...(options.binaryLog ? binaryLogOptions : ['--skip-log-bin']),
          ...(program.flavour === 'mysql' ? ['--mysqlx=OFF'] : []),
          `--max-connections=${options.maxConnections ?? 200}`,
          `--innodb-buffer-pool-size=${options.bufferPoolMiB ?? 64}M`,
          '--innodb-flush-log-at-trx-commit=1',
          // MySQL's default. With MariaDB's, an INSERT … SELECT locks the table's counter, and other inserts can deadlock.
          '--innodb-autoinc-lock-mode=2',
          '--performance-schema=OFF',
          '--character-set-server=utf8mb4',
          '--collation-server=utf8mb4_unicode_ci',
          ...(options.extraArgs ?? []),
        ],
      };
    },
    onDeath: options.onDeath,
  });
  const { user, password, database } = settings;
  return Object.assign(base, { user, password, database, program, settings });
}

/** The same as in docker-compose.yml. MariaDB has other defaults than MySQL. */
const binaryLogOptions = [
  '--log-bin=binlog',
  '--server-id=1',
  '--binlog-format=ROW',
  '--binlog-row-image=FULL',
  '--sync-binlog=1',
  '--binlog-expire-logs-seconds=604800',
  '--max-binlog-size=100M',
];

/** The same, started. */
export async function startMysql(options: MysqlOptions): Promise<MysqlServer> {
  const mysql = await mysqlServer(options);
  await mysql.start();
  return mysql;
}

/** What the user may do on the whole server: create the services' users, and with a binary log what restoring to a time needs. */
function globalRights({ flavour }: MysqlProgram, { superuser, binaryLog }: MysqlOptions): string {
  if (superuser) return 'ALL';
  if (!binaryLog) return 'CREATE USER';
  return flavour === 'mariadb'
    ? 'CREATE USER, REPLICATION SLAVE, BINLOG MONITOR, BINLOG REPLAY'
    : 'CREATE USER, REPLICATION SLAVE, REPLICATION CLIENT, REPLICATION_APPLIER, FLUSH_TABLES';
}

/** The server runs this on every start, one statement per line. It creates or updates user, password and database. */
function initSql({ user, password, database }: OwnDatabaseSettings, rights: string): string {
  const account = `${quoted(user)}@'%'`;
  const name = database.replaceAll('`', '``');
  return [
    `CREATE DATABASE IF NOT EXISTS \`${name}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;`,
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${quoted(password)};`,
    `ALTER USER ${account} IDENTIFIED BY ${quoted(password)};`,
    `GRANT ${rights} ON *.* TO ${account} WITH GRANT OPTION;`,
    `GRANT ALL ON \`${name}\`.* TO ${account} WITH GRANT OPTION;`,
    // Databases into which backups are restored, such as ecommerce_restored and ecommerce_drill.
    `GRANT ALL ON \`${name.replaceAll('_', '\\_')}\\_%\`.* TO ${account} WITH GRANT OPTION;`,
    '',
  ].join('\n');
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
