import { readFile } from 'node:fs/promises';
import type { TlsConfig } from '@shop/core/config';
import { withTimeout } from '@shop/core/time';
import { type Connection, createConnection } from 'mysql2';
import type { Connection as PromiseConnection } from 'mysql2/promise';
import { codeOf, isNamed, messageOf, OperatorError } from './errors';
import { displayPath } from './paths';
import { isUnreachable, portAnswers } from './ports';

export interface DatabaseSettings {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Absent: log in without selecting a database. */
  database?: string;
  /** Absent: plain text. */
  tls?: TlsConfig | undefined;
}

/** A server that we start: plain text, and with a database. */
export type OwnDatabaseSettings = Required<Omit<DatabaseSettings, 'tls'>>;

/**
 * `absent`: nothing listens. `denied`: the server rejects this user and password. `no-database`: the login works, but the
 * database does not exist or the user has no access. `other`: not a MySQL server, or one that fails.
 */
export type DatabaseProbe = { state: 'answers'; version: string } | DatabaseProblem;

interface DatabaseProblem {
  state: 'absent' | 'denied' | 'no-database' | 'other';
  message: string;
}

/** Logs in and reads the version. Never throws, and takes about `timeoutMs` at most. */
export async function probeDatabase(settings: DatabaseSettings, timeoutMs = 3000): Promise<DatabaseProbe> {
  try {
    const version = await withConnection(settings, timeoutMs, async (connection) => {
      const [rows] = await connection.query('SELECT VERSION() AS version');
      return Array.isArray(rows) && rows[0] && 'version' in rows[0] ? String(rows[0].version) : 'unknown version';
    });
    return { state: 'answers', version };
  } catch (error) {
    return explain(error, settings);
  }
}

/** Runs `work` on a new connection, which is destroyed after `timeoutMs`. */
export async function withConnection<T>(
  { tls, ...settings }: DatabaseSettings,
  timeoutMs: number,
  work: (connection: PromiseConnection) => Promise<T>,
): Promise<T> {
  // Loads a lot of code, which ./run-services.sh does not always need.
  const { sslOptions } = await import('@shop/core/db');
  // The callback API returns the connection before it is established, so that to a frozen server can be destroyed too.
  const connection: Connection = createConnection({
    ...settings,
    ...sslOptions(tls),
    connectTimeout: timeoutMs,
    multipleStatements: true,
  });
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', reject);
  });
  try {
    return await withTimeout(Promise.race([work(connection.promise()), failed]), timeoutMs, () => {
      throw new OperatorError(`no response within ${timeoutMs / 1000} s`);
    });
  } finally {
    connection.destroy();
  }
}

/** Creates the database unless it exists. @returns whether that worked */
export const createDatabase = ({ database, ...server }: DatabaseSettings): Promise<boolean> =>
  withConnection(server, 3000, (connection) =>
    connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [database]),
  ).then(
    () => true,
    () => false,
  );

/** The path of an SQL file, or a function that uses the same connection. */
type SqlStep = string | { name: string; run: (connection: PromiseConnection) => Promise<void> };

/** Long enough to add indexes to millions of rows. */
const APPLY_TIMEOUT_MS = 1_800_000;

/** Runs the steps in order. A lock serializes concurrent runs: the seed checks for a row and then inserts it, which is not atomic. */
export async function applySql(settings: DatabaseSettings, steps: SqlStep[]): Promise<void> {
  let current = '';
  try {
    await withConnection(settings, APPLY_TIMEOUT_MS, async (connection) => {
      await connection.query("SET time_zone = '+00:00', NAMES utf8mb4");
      await connection.query("SELECT GET_LOCK('shop_apply_sql', ?)", [APPLY_TIMEOUT_MS / 1000]);
      for (const step of steps) {
        current = typeof step === 'string' ? displayPath(step) : step.name;
        if (typeof step === 'string') await connection.query(await readFile(step, 'utf8'));
        else await step.run(connection);
      }
    });
  } catch (error) {
    if (isNamed(error, 'MigrationError')) throw new OperatorError(messageOf(error), { cause: error });
    const doing = current === '' ? 'the database cannot be prepared' : `${current} failed`;
    throw new OperatorError(`${doing}: ${(await explain(error, settings)).message}`);
  }
}

/** Describes the problem in one line, with the variable to check. */
async function explain(error: unknown, settings: DatabaseSettings): Promise<DatabaseProblem> {
  const { host, port, user, password, database } = settings;
  const at = `${host}:${port}`;
  const code = codeOf(error) ?? '';
  switch (code) {
    // The second is MariaDB's for an unknown user, whose account it makes up: some of those take no password.
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_ACCESS_DENIED_NO_PASSWORD_ERROR': {
      const how = password === '' ? 'without a password' : 'with this password';
      return {
        state: 'denied',
        message: `the database at ${at} rejects user "${user}" ${how}: check DB_USER and DB_PASS`,
      };
    }
    case 'ER_BAD_DB_ERROR':
      return {
        state: 'no-database',
        message: `the server at ${at} has no database "${database}": create it, or check DB_NAME`,
      };
    case 'ER_DBACCESS_DENIED_ERROR':
      return {
        state: 'no-database',
        message: `user "${user}" may not use database "${database}" at ${at}: grant it, or check DB_NAME`,
      };
  }
  if (code.startsWith('HANDSHAKE_')) {
    return { state: 'other', message: `no TLS connection to the database at ${at} (DB_TLS): ${messageOf(error)}` };
  }
  if (code.startsWith('ER_')) return { state: 'other', message: `the database at ${at}: ${messageOf(error)}` };
  return {
    state: isUnreachable(error) ? 'absent' : 'other',
    message: (await portAnswers(port, host))
      ? `the server at ${at} (DB_HOST, DB_PORT) does not respond as a database: ${messageOf(error) || code}`
      : `nothing listens at ${at} (DB_HOST, DB_PORT): ${code || messageOf(error)}`,
  };
}
