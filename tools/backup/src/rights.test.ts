import { randomBytes } from 'node:crypto';
import { applyDatabaseUsers } from '@shop/migrations';
import { databaseUsers } from '@shop/shop';
import { type BareDatabase, dropBareDatabases, rows, write } from '@shop/testing';
import { aShopToBackUp, type ShopToBackUp } from '../tests/shop';
import { connect } from './connect';
import { reasonOf } from './errors';
import { readSettings } from './settings';

const users: string[] = [];
afterEach(async () => {
  await dropBareDatabases();
  for (const user of users.splice(0)) await write(`DROP USER ${user}@'%'`);
});

/** The user that `npm run migrate` sets up, and the settings to use it. */
async function aBackupUser({ connection, name }: BareDatabase) {
  const BACKUP_DB_USER = `backup_${randomBytes(4).toString('hex')}`;
  const BACKUP_DB_PASS = `it's "${randomBytes(8).toString('hex')}" \\ $HOME \`x\``;
  users.push(BACKUP_DB_USER);
  const env = { BACKUP_DB_USER, BACKUP_DB_PASS };
  await applyDatabaseUsers(connection, databaseUsers(env, { DB_USER: '', DB_PASS: '', DB_NAME: name }, []));
  return env;
}

async function server() {
  const [row] = await rows<{ version: string; logBin: number }>('SELECT VERSION() AS version, @@log_bin AS logBin');
  return { isMysql: !/mariadb/i.test(row?.version ?? ''), hasBinaryLog: row?.logBin === 1 };
}

const failureOf = async (shop: ShopToBackUp, env: Record<string, string>): Promise<string> =>
  shop.backup({ env }).then(() => 'succeeded', reasonOf);

test('the user of the backups can make one, and neither change nor remove anything', async () => {
  const shop = await aShopToBackUp();
  const env = await aBackupUser(shop.database);
  await shop.upload('hello');
  expect(await failureOf(shop, env)).toBe('succeeded');
  expect(await shop.recorded()).toHaveLength(1);
  const connection = (await connect(readSettings({ ...shop.env, ...env }))).promise();
  const refused = /command denied to user/;
  await expect(connection.query("UPDATE users SET role = 'admin'")).rejects.toThrow(refused);
  await expect(connection.query('DELETE FROM backups')).rejects.toThrow(refused);
  await expect(connection.query('DROP TABLE users')).rejects.toThrow(refused);
  await expect(connection.query('SELECT * FROM mysql.user')).rejects.toThrow(refused);
  // For the drill.
  await connection.query(`CREATE DATABASE ${shop.database.name}_drill`);
  await connection.query(`DROP DATABASE ${shop.database.name}_drill`);
  connection.destroy();
});

test('each right is needed: without it, the backup fails and says which', async () => {
  const { isMysql, hasBinaryLog } = await server();
  const shop = await aShopToBackUp();
  const env = await aBackupUser(shop.database);
  const user = `${env.BACKUP_DB_USER}@'%'`;
  const { name } = shop.database;
  const cases: [right: string, on: string, failure: RegExp][] = [
    ['SELECT', `\`${name.replaceAll('_', '\\_')}\`.*`, /^SELECT command denied to user /],
    ['INSERT', `${name}.backups`, /^INSERT command denied to user /],
  ];
  if (isMysql && hasBinaryLog) {
    cases.push(['FLUSH_TABLES', '*.*', /^Access denied; you need .*FLUSH_TABLES/]);
    cases.push(['REPLICATION CLIENT', '*.*', /^Access denied; you need .*REPLICATION CLIENT/]);
  }
  for (const [right, on, failure] of cases) {
    await write(`REVOKE ${right} ON ${on} FROM ${user}`);
    expect([right, await failureOf(shop, env)]).toEqual([right, expect.stringMatching(failure)]);
    await write(`GRANT ${right} ON ${on} TO ${user}`);
  }
  expect(await failureOf(shop, env)).toBe('succeeded');
});
