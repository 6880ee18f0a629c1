import { runningDatabase } from './db-apply';

const database = { ENV_FILE: '/shop/.env.local', DB_HOST: '127.0.0.1', DB_PORT: '3308' };
const state = { pid: process.pid, startedAt: '', entries: [], database };

test('commands use the database of the running shop', () => {
  expect(runningDatabase({}, state)).toEqual(database);
  expect(runningDatabase({}, undefined)).toBeUndefined();
});

test.each(['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'])(
  'a command whose environment has %s is left alone',
  (name) => expect(runningDatabase({ [name]: 'another' }, state)).toBeUndefined(),
);
