import { processIdentity } from '@shop/test-servers';
import { runningDatabase } from './running-database';

const database = { ENV_FILE: '/shop/.env.local', DB_HOST: '127.0.0.1', DB_PORT: '3308' };
const running = { pid: process.pid, identity: processIdentity(process.pid), startedAt: '', entries: [], database };

test('it is that of the fleet that runs', () => {
  expect(runningDatabase({}, running)).toEqual(database);
  expect(runningDatabase({}, { ...running, identity: 'an earlier process' })).toBeUndefined();
});

test.each(['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'])(
  'a command whose environment has %s is left alone',
  (name) => expect(runningDatabase({ [name]: 'another' }, running)).toBeUndefined(),
);
