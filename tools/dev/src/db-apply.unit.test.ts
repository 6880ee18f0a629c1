import { useRunningDatabase } from './db-apply';

const database = { ENV_FILE: '/shop/.env.local', DB_HOST: '127.0.0.1', DB_PORT: '3308' };
const state = { pid: process.pid, entries: [], database };

/** The environment of a command after the call. */
async function environmentOf(env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  await useRunningDatabase(env, state);
  return env;
}

test('commands use the database of the running shop', async () => {
  jest.spyOn(console, 'error').mockReturnValueOnce();
  expect(await environmentOf({ PATH: '/bin' })).toEqual({ PATH: '/bin', ...database });
});

test.each(['APP_ENV', 'ENV_FILE', 'DB_HOST', 'DB_PORT', 'DB_USER', 'DB_NAME'])(
  'a command whose environment has %s is left alone',
  async (name) => expect(await environmentOf({ [name]: 'another' })).toEqual({ [name]: 'another' }),
);
