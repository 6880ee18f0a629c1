import path from 'node:path';
import {
  type DatabaseSettings,
  dataDir,
  mysqlServer,
  OperatorError,
  portNumber,
  probeDatabase,
  secret,
  withConnection,
} from '@shop/test-servers';
import { logDir } from './dev-paths';
import { type Found, isLoopback, type Need, portNear } from './resources';
import type { Session } from './session';

export type DatabaseConfig = Required<DatabaseSettings>;

/** The default in .env.local. If another program uses that port by chance, our database uses the next free one. */
const shippedAddress = '127.0.0.1:3307';

export function databaseConfig(env: Record<string, string>): DatabaseConfig {
  return {
    host: env.DB_HOST || '127.0.0.1',
    port: portNumber(env, 'DB_PORT', 3307),
    user: env.DB_USER || 'user',
    password: secret(env, 'DB_PASS'),
    database: env.DB_NAME || 'ecommerce',
  };
}

/**
 * Finds the database of the settings, or describes how to start one on this machine. Throws if the user explicitly configured
 * an address where something else listens or a server that rejects the login, and always outside the local environment:
 * starting another database would be wrong then.
 */
export async function findDatabase(session: Session, connections: number): Promise<Found | Need> {
  const { settings } = session;
  const config = databaseConfig(settings.env);
  const at = `${config.host}:${config.port}`;
  const local = (settings.env.APP_ENV || 'local') === 'local';

  let probe = await probeDatabase(config);
  if (probe.state === 'no-database' && local && (await createDatabase(config))) probe = await probeDatabase(config);
  if (probe.state === 'answers') {
    session.log(`database: using the running one at ${at} (${probe.version})`);
    return { host: config.host, port: config.port, origin: 'given' };
  }
  if (!local) throw new OperatorError(`${probe.message}. APP_ENV=${settings.env.APP_ENV} does not start a database`);
  const named = settings.isExplicit('DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME');
  if (named && !isLoopback(config.host)) throw new OperatorError(probe.message);
  // The user chose that server. Starting an empty one instead would look like lost data.
  if (probe.state !== 'absent' && (named || at !== shippedAddress)) throw new OperatorError(probe.message);
  session.log(`database: ${probe.message}; trying the next option`);

  const port = await portNear(config.port, 'database', session);
  const own = { ...config, host: '127.0.0.1', port };
  return {
    kind: 'database',
    title: 'database',
    container: 'db',
    program: 'mysql',
    port,
    optional: false,
    env: { DB_PORT: String(port), DB_USER: own.user, DB_PASS: own.password, DB_NAME: own.database },
    answers: async () => (await probeDatabase(own)).state === 'answers',
    create: () =>
      mysqlServer({
        ...own,
        dir: path.join(dataDir, 'db'),
        maxConnections: Math.max(200, connections + 20),
        bufferPoolMiB: 128,
        logFile: path.join(logDir, 'database.log'),
        dieWithParent: true,
        ...session.events,
      }),
  };
}

/** The login works, so tries to create the missing database. @returns whether that worked */
async function createDatabase({ database, ...server }: DatabaseConfig): Promise<boolean> {
  try {
    await withConnection(server, 3000, (connection) =>
      connection.query('CREATE DATABASE IF NOT EXISTS ?? CHARACTER SET utf8mb4', [database]),
    );
    return true;
  } catch {
    return false;
  }
}
