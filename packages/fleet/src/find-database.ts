import path from 'node:path';
import { type DatabaseSettings, probeDatabase, withConnection } from './database';
import { portNumber, secret } from './env';
import { FleetError } from './errors';
import { mysqlServer } from './mysql-server';
import { dataDir, logDir } from './paths';
import { type Found, isLoopback, type Need, portNear } from './resources';
import type { Session } from './session';

export type DatabaseConfig = Required<DatabaseSettings>;

/** What .env.local says as it comes: whoever else has that port is nobody's choice, and ours moves to the next one. */
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
 * The database the settings point at when it can be used, else what it takes to have one on this machine. Throws where
 * starting another one would not be what was asked for: outside the local environment, and when somebody has named an
 * address that holds something else, or a server that refuses them.
 */
export async function lookAtDatabase(session: Session, connections: number): Promise<Found | Need> {
  const { settings } = session;
  const config = databaseConfig(settings.env);
  const at = `${config.host}:${config.port}`;
  const local = (settings.env.APP_ENV || 'local') === 'local';

  let probe = await probeDatabase(config);
  if (probe.state === 'no-database' && local && (await createDatabase(config))) probe = await probeDatabase(config);
  if (probe.state === 'answers') {
    session.log(`database: the one at ${at}, which was there (${probe.version})`);
    return { host: config.host, port: config.port, origin: 'given' };
  }
  if (!local) throw new FleetError(`${probe.message}. APP_ENV=${settings.env.APP_ENV} starts no database of its own`);
  const named = settings.isExplicit('DB_HOST', 'DB_PORT', 'DB_USER', 'DB_PASS', 'DB_NAME');
  if (named && !isLoopback(config.host)) throw new FleetError(probe.message);
  // Somebody chose that server: an empty one in its place would look like lost data.
  if (probe.state !== 'absent' && (named || at !== shippedAddress)) throw new FleetError(probe.message);
  session.log(`database: ${probe.message}; looking further`);

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

/** The server is there and lets the user in; perhaps it lets them make what is missing, too. */
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
