import { readFile } from 'node:fs/promises';
import { withTimeout } from '@shop/core/time';
import { type Connection, createConnection } from 'mysql2';
import type { Connection as PromiseConnection } from 'mysql2/promise';
import { codeOf, FleetError, messageOf } from './errors';
import { shown } from './paths';
import { isUnreachable, portAnswers } from './ports';

export interface DatabaseSettings {
  host: string;
  port: number;
  user: string;
  password: string;
  /** Absent: log in without choosing one. */
  database?: string;
}

/**
 * What is found at an address. `absent`: nothing listens. `denied`: a server that refuses this user and password.
 * `no-database`: it lets the user in, but the database is not there or not theirs. `other`: something that is no
 * MySQL, or one that is not well.
 */
export type DatabaseProbe = { state: 'answers'; version: string } | DatabaseProblem;

interface DatabaseProblem {
  state: 'absent' | 'denied' | 'no-database' | 'other';
  message: string;
}

/** Logs in and asks for the version. Never throws, and answers in about `timeoutMs`. */
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

/** Runs `work` on a connection of its own; the connection is destroyed when all takes longer than `timeoutMs`. */
export async function withConnection<T>(
  settings: DatabaseSettings,
  timeoutMs: number,
  work: (connection: PromiseConnection) => Promise<T>,
): Promise<T> {
  // The callback API hands out the connection before it is up: a frozen server's can be destroyed too.
  const connection: Connection = createConnection({ ...settings, connectTimeout: timeoutMs, multipleStatements: true });
  const failed = new Promise<never>((_, reject) => {
    connection.on('error', reject);
  });
  try {
    return await withTimeout(Promise.race([work(connection.promise()), failed]), timeoutMs, () => {
      throw new FleetError(`no answer within ${timeoutMs / 1000} s`);
    });
  } finally {
    connection.destroy();
  }
}

/** An SQL file, or work on the same connection. */
export type SqlStep = string | { name: string; run: (connection: PromiseConnection) => Promise<void> };

/** Enough to add indexes to millions of rows. */
const APPLY_TIMEOUT_MS = 1_800_000;

/** Runs the steps one after the other. Two runs at once wait for each other: "add what is missing" is not atomic. */
export async function applySql(settings: DatabaseSettings, steps: SqlStep[]): Promise<void> {
  let current = '';
  try {
    await withConnection(settings, APPLY_TIMEOUT_MS, async (connection) => {
      await connection.query("SET time_zone = '+00:00', NAMES utf8mb4");
      await connection.query("SELECT GET_LOCK('shop_apply_sql', ?)", [APPLY_TIMEOUT_MS / 1000]);
      for (const step of steps) {
        current = typeof step === 'string' ? shown(step) : step.name;
        if (typeof step === 'string') await connection.query(await readFile(step, 'utf8'));
        else await step.run(connection);
      }
    });
  } catch (error) {
    const doing = current === '' ? 'the database cannot be prepared' : `${current} failed`;
    throw new FleetError(`${doing}: ${(await explain(error, settings)).message}`);
  }
}

/** One line that says what is wrong and which variable to look at. */
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
        message: `the database at ${at} refuses user "${user}" ${how}: check DB_USER and DB_PASS`,
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
  if (code.startsWith('ER_')) return { state: 'other', message: `the database at ${at}: ${messageOf(error)}` };
  return {
    state: isUnreachable(error) ? 'absent' : 'other',
    message: (await portAnswers(port, host))
      ? `what listens at ${at} (DB_HOST, DB_PORT) does not answer as a database: ${messageOf(error) || code}`
      : `nothing answers at ${at} (DB_HOST, DB_PORT): ${code || messageOf(error)}`,
  };
}
