import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ConfigError } from '@shop/core/config';
import { repoRoot } from '@shop/test-servers';
import { databaseOf, readSettings, redisOf, variablesOf } from './settings';

const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'settings-')), 'test.env');
const before = process.env;

/** The settings of an env file, with a few variables in the environment. */
function settingsOf(text: string, env: NodeJS.ProcessEnv = {}) {
  writeFileSync(file, text);
  process.env = { ENV_FILE: file, ...env };
  return readSettings();
}

afterEach(() => {
  process.env = before;
});

test('the environment wins over the env file, and an empty value is the default', () => {
  const settings = settingsOf('DB_PORT=4000\nAUTH_PORT=9080\nSTORE_PORT=\nGATEWAY_PORT=\n', { DB_PORT: '5000' });
  expect(databaseOf(settings)).toMatchObject({ host: '127.0.0.1', port: 5000 });
  expect(settings.ports).toMatchObject({ auth: 9080, store: 8084 });
  expect(settings.GATEWAY_PORT).toBeUndefined();
});

test('a password can come from a file', () => {
  const secret = `${file}.secret`;
  writeFileSync(secret, 'hush\n');
  expect(databaseOf(settingsOf(`DB_PASS_FILE=${secret}`)).password).toBe('hush');
});

test.each([
  ['REDIS_HOST=', ''],
  ['', '127.0.0.1'],
  ['REDIS_HOST=cache', 'cache'],
])('with "%s", the host of Redis is "%s"', (text, host) => expect(redisOf(settingsOf(text)).host).toBe(host));

test('services get the address of the server that was started', () => {
  const settings = settingsOf('DB_PORT=3307');
  settings.DB_PORT = 3308;
  expect(variablesOf(settings)).toMatchObject({ DB_HOST: '127.0.0.1', DB_PORT: '3308', ENV_FILE: file });
});

test('every wrong setting is named, with what is expected', () => {
  const wrong = () => settingsOf('STORE_PORT=abc\nDB_PORT=70000\nDB_POOL_SIZE=0');
  expect(wrong).toThrow(
    new ConfigError([
      'DB_PORT: must be a whole number from 1 to 65535',
      'DB_POOL_SIZE: must be a whole number from 1 to 1000',
      'STORE_PORT: must be a whole number from 1 to 65535',
    ]),
  );
});

test.each(['0', '65536', '-1', '1.5', 'abc', '0x50'])('"%s" is no port', (port) => {
  expect(() => settingsOf(`DB_PORT=${port}`)).toThrow(/DB_PORT: must be a whole number from 1 to 65535/);
});

test('a file with a password that cannot be read is named', () => {
  expect(() => settingsOf('DB_PASS_FILE=/nowhere/password')).toThrow(/DB_PASS_FILE.*\/nowhere\/password/s);
});

test.each(['local', 'testnet', 'production'])('APP_ENV=%s selects the env file', (environment) => {
  process.env = { APP_ENV: environment };
  expect(readSettings().ENV_FILE).toBe(path.join(repoRoot, `.env.${environment}`));
});

test('an env file that cannot be read is named', () => {
  process.env = { ENV_FILE: '/nowhere/other.env' };
  expect(readSettings).toThrow(/the env file \/nowhere\/other\.env cannot be read/);
});
