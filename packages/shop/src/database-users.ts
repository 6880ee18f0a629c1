import { type Env, parseSettings } from '@shop/core/config';
import type { DatabaseSettings, TableRights } from '@shop/core/db';
import { coreRights } from '@shop/core/service';
import type { DatabaseUser } from '@shop/migrations';
import { z } from 'zod';
import { loginVariables, type ServiceName, serviceNames, services } from './services';

/** The names that come before _DB_USER and _DB_PASS: the services, the backups, and the exporter of the server's metrics. */
const names = [...serviceNames, 'backup', 'exporter'] as const;
type Name = (typeof names)[number];

type ServiceDatabaseUser = DatabaseUser & { name: Name };

/** What a service's statements need. */
const serviceRights = (name: ServiceName): TableRights => ({
  // First: the owner of a table that all read has more rights on it.
  ...coreRights,
  ...services[name].tables,
  ...services[name].otherTables,
});

/** What each command of tools/backup needs, which its tests take away one by one. */
function backupRights(database: string): Pick<DatabaseUser, 'tables' | 'otherRights'> {
  const pattern = database.replaceAll('_', '\\_');
  return {
    tables: { backups: ['INSERT'] },
    otherRights: [
      // Reads the tables.
      `SELECT ON \`${pattern}\`.*`,
      // On MySQL with a binary log, reads the position and holds writers for a moment. The drill finds and reads the log.
      'REPLICATION CLIENT, REPLICATION SLAVE /*!80023 , FLUSH_TABLES */ ON *.*',
      // The drill restores into a database of its own.
      `ALL ON \`${pattern}\\_drill\`.*`,
    ],
  };
}

/** The exporter reads only the server's status and variables, which need no right. */
function rightsOf(name: Name, database: string): Pick<DatabaseUser, 'tables' | 'otherRights'> {
  if (name === 'exporter') return { tables: {} };
  return name === 'backup' ? backupRights(database) : { tables: serviceRights(name) };
}

type Owner = Pick<DatabaseSettings, 'DB_USER' | 'DB_PASS' | 'DB_NAME'>;

const userSettings = z.object(
  Object.fromEntries(
    names.flatMap((name) => Object.values(loginVariables(name)).map((variable) => [variable, z.string().optional()])),
  ),
);

/**
 * The database users that the settings name, with their rights. An empty NAME_DB_USER means DB_USER, the owner of the tables, and
 * an empty NAME_DB_PASS means DB_PASS.
 */
export function databaseUsers(env: Env, owner: Owner, problems: string[]): ServiceDatabaseUser[] {
  const settings = parseSettings(userSettings, env, problems);
  if (!settings) return [];
  const users = names.flatMap((name) => {
    const variables = loginVariables(name);
    const user = settings[variables.user];
    if (user === undefined || user === owner.DB_USER) return [];
    const password = settings[variables.password] ?? owner.DB_PASS;
    if (password === '') problems.push(`${variables.password}: is required, because DB_PASS is empty`);
    return [{ name, user, password, ...rightsOf(name, owner.DB_NAME) }];
  });
  for (const [index, { name, user }] of users.entries()) {
    const first = users.findIndex((other) => other.user === user);
    if (first === index) continue;
    problems.push(
      `${loginVariables(name).user}: is the user of ${users[first]?.name} too. Name another one, or DB_USER`,
    );
  }
  return users;
}
