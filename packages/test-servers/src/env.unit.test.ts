import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { portNumber, readSettings, secret } from './env';

let root: string;

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'shop-env-'));
  writeFileSync(path.join(root, '.env.local'), '# a comment\nDB_PORT=3307\nGATEWAY_PORT=\nNAME="two words"\n');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('the process environment wins over the env file', () => {
  const { env } = readSettings({ DB_PORT: '4000' }, root);
  expect(env).toMatchObject({ DB_PORT: '4000', GATEWAY_PORT: '', NAME: 'two words' });
});

test('what somebody set for this run is told from what the file says', () => {
  const settings = readSettings({ DB_PORT: '4000', DB_HOST: '' }, root);
  expect(settings.isExplicit('DB_PORT')).toBe(true);
  expect(settings.isExplicit('DB_HOST', 'NAME')).toBe(false);
});

test('an env file that cannot be read is named', () => {
  expect(() => readSettings({ APP_ENV: 'testnet' }, root)).toThrow(/env file .*\.env\.testnet cannot be read/);
  expect(() => readSettings({ ENV_FILE: 'other.env' }, root)).toThrow(/other\.env cannot be read/);
});

test('a secret may stand in a file', () => {
  const file = path.join(root, 'secret');
  writeFileSync(file, 'hush\n');
  expect(secret({ DB_PASS_FILE: file, DB_PASS: '' }, 'DB_PASS')).toBe('hush');
  expect(secret({ DB_PASS: 'open' }, 'DB_PASS')).toBe('open');
  expect(() => secret({ DB_PASS_FILE: path.join(root, 'none') }, 'DB_PASS')).toThrow('DB_PASS_FILE cannot be read');
});

test.each(['0', '65536', '-1', '1.5', 'abc', '80 '])('%p is no port', (text) => {
  expect(() => portNumber({ AUTH_PORT: text }, 'AUTH_PORT', 8080)).toThrow('AUTH_PORT must be a port number');
});

test('an empty port is the default one', () => {
  expect(portNumber({ AUTH_PORT: '' }, 'AUTH_PORT', 8080)).toBe(8080);
});
