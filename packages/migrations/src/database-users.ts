import { type TableRights, UNFINISHED_RESTORE_TABLE } from '@shop/core/db';
import { type Connection, createConnection, escapeId, type RowDataPacket } from 'mysql2/promise';
import { LOCK_WAIT_SECONDS, takeMigrationLock } from './migrate';
import { MigrationError, type MigrationLog } from './migration-files';
import { releaseServerLock } from './server-lock';

export interface DatabaseUser {
  user: string;
  password: string;
  /** Its rights on the tables of the connection's database. Others on these tables are revoked. */
  tables: TableRights;
  /** Rights on anything else, such as `SELECT ON shop.*`. They are granted, and never revoked. */
  otherRights?: readonly string[];
}

/**
 * Creates the users that are missing, and gives all of them their passwords and rights. Safe to repeat, and a user who
 * has everything already is not changed. On MySQL, an old password stays valid until the next run, so that processes which
 * have it can still connect.
 *
 * @param connection of a user who may create users and grant these rights. Used for nothing else meanwhile
 */
export async function applyDatabaseUsers(
  connection: Connection,
  users: readonly DatabaseUser[],
  log: MigrationLog = () => undefined,
): Promise<void> {
  if (users.length === 0) return;
  await takeMigrationLock(connection, LOCK_WAIT_SECONDS);
  try {
    const unchanged: DatabaseUser[] = [];
    for (const user of users) {
      try {
        if (await applyOne(connection, user, log)) unchanged.push(user);
      } catch (error) {
        throw failure(user, error);
      }
    }
    // Last, so that a run that failed halfway can be repeated without ending the old passwords.
    if (await isMysql(connection)) {
      for (const { user } of unchanged) await connection.query("ALTER USER ?@'%' DISCARD OLD PASSWORD", [user]);
    }
  } finally {
    await releaseServerLock(connection, 'migrations');
  }
}

/** @returns whether the user had its password already */
async function applyOne(connection: Connection, user: DatabaseUser, log: MigrationLog) {
  const loggedIn = await logInUnlessRejected(connection, user);
  if (!loggedIn) {
    await connection.query("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", [user.user, user.password]);
    // MariaDB has only one password for each user.
    const keepOld = '/*!80014 RETAIN CURRENT PASSWORD */';
    await connection.query(`ALTER USER ?@'%' IDENTIFIED BY ? ${keepOld}`, [user.user, user.password]);
    log(`database user ${user.user}: password set`);
  }
  const asUser = loggedIn ?? (await logIn(connection, user));
  try {
    const changes = await setTableRights(connection, user, asUser);
    if (changes > 0) log(`database user ${user.user}: rights on tables set`);
  } finally {
    asUser.destroy();
  }
  for (const rights of user.otherRights ?? []) await connection.query(`GRANT ${rights} TO ?@'%'`, [user.user]);
  return loggedIn !== undefined;
}

/** To the server of `connection`, without a database: the user may have no right on it yet. */
function logIn({ config }: Connection, { user, password }: DatabaseUser): Promise<Connection> {
  const { host = 'localhost', port = 3306, ssl, connectTimeout = 10_000 } = config;
  return createConnection({ host, port, user, password, connectTimeout, ...(ssl ? { ssl } : {}) });
}

const REJECTED = new Set(['ER_ACCESS_DENIED_ERROR', 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR']);

const logInUnlessRejected = (connection: Connection, user: DatabaseUser): Promise<Connection | undefined> =>
  logIn(connection, user).catch((error: unknown) => {
    if (REJECTED.has(codeOf(error))) return undefined;
    throw error;
  });

/** A user may read its own rights. Reading those of others needs a right on all password hashes. */
const LIST_RIGHTS = `
  SELECT table_name AS name, privilege_type AS privilege FROM information_schema.table_privileges
  WHERE table_schema = ?
  UNION ALL SELECT table_name, CONCAT(privilege_type, ' (', column_name, ')') FROM information_schema.column_privileges
  WHERE table_schema = ?`;

/** Grants before it revokes: services may be running with this user. @returns how many rights it has changed */
async function setTableRights(connection: Connection, user: DatabaseUser, asUser: Connection): Promise<number> {
  const [[selected]] = await connection.query<RowDataPacket[]>('SELECT DATABASE() AS name');
  const [rows] = await asUser.query<RowDataPacket[]>(LIST_RIGHTS, [selected?.name, selected?.name]);
  const keyOf = (table: string, right: string) => `${table} ${right}`;
  const present = new Map(rows.map((row) => [keyOf(row.name, row.privilege), row]));
  const wanted = Object.entries(user.tables).flatMap(([table, rights]) => rights.map((right) => ({ table, right })));
  const missing = wanted.filter(({ table, right }) => !present.has(keyOf(table, right)));
  for (const { table, right } of missing) await grant(connection, user, table, right);
  const wantedKeys = new Set(wanted.map(({ table, right }) => keyOf(table, right)));
  const surplus = [...present].filter(([key]) => !wantedKeys.has(key));
  for (const [, { name, privilege }] of surplus) {
    await connection.query(`REVOKE ${privilege} ON ${escapeId(name)} FROM ?@'%'`, [user.user]);
  }
  return missing.length + surplus.length;
}

async function grant(connection: Connection, { user }: DatabaseUser, table: string, right: string): Promise<void> {
  // This table usually does not exist. Only together with CREATE can rights on such a table be granted. They outlive the table.
  const isAbsent = table === UNFINISHED_RESTORE_TABLE;
  await connection.query(`GRANT ${right}${isAbsent ? ', CREATE' : ''} ON ${escapeId(table)} TO ?@'%'`, [user]);
  if (isAbsent) await connection.query(`REVOKE CREATE ON ${escapeId(table)} FROM ?@'%'`, [user]);
}

async function isMysql(connection: Connection): Promise<boolean> {
  const [[row]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
  return !/mariadb/i.test(String(row?.version));
}

const codeOf = (error: unknown) => String((error as NodeJS.ErrnoException).code);

const LACKS_RIGHTS = /_DENIED_/;

function failure({ user }: DatabaseUser, error: unknown): MigrationError {
  const message = error instanceof Error ? error.message : String(error);
  const hint = LACKS_RIGHTS.test(codeOf(error))
    ? '. DB_USER must be a user who may create users and grant their rights: see docs/settings.md.'
    : '';
  return new MigrationError(`the database user ${user} cannot be set up: ${message}${hint}`, { cause: error });
}
