import { databaseUsers } from './database-users';
import { ownLogin } from './services';

const owner = { DB_USER: 'owner', DB_PASS: 'password of the owner', DB_NAME: 'my_shop' };

function usersOf(env: Record<string, string>, { DB_PASS = owner.DB_PASS } = {}) {
  const problems: string[] = [];
  const users = databaseUsers(env, { ...owner, DB_PASS }, problems);
  return { users, problems };
}

test('only the users that the settings name are set up, and the owner is none of them', () => {
  const { users } = usersOf({ AUTH_DB_USER: 'auth', STORE_DB_USER: '', FILE_DB_USER: 'owner' });
  expect(users.map(({ user, password }) => ({ user, password }))).toEqual([{ user: 'auth', password: owner.DB_PASS }]);
});

test('a service may read and write its own tables, and those of core', () => {
  const [auth] = usersOf({ AUTH_DB_USER: 'auth', AUTH_DB_PASS: 'its own' }).users;
  expect(auth).toMatchObject({
    password: 'its own',
    tables: { backups: ['SELECT'], transactions: ['SELECT'], schema_migrations: ['SELECT'] },
  });
  expect(auth?.tables).not.toHaveProperty('stock_movements');
});

test('the exporter has no rights', () => {
  expect(usersOf({ EXPORTER_DB_USER: 'exporter' }).users).toMatchObject([{ user: 'exporter', tables: {} }]);
});

test('the drill of the backups has a database of its own, and no other one with a similar name', () => {
  const [backup] = usersOf({ BACKUP_DB_USER: 'backup' }).users;
  expect(backup?.otherRights).toContain('ALL ON `my\\_shop\\_drill`.*');
});

test.each([
  [
    { AUTH_DB_USER: 'one', STORE_DB_USER: 'one' },
    {},
    'STORE_DB_USER: is the user of auth too. Name another one, or DB_USER',
  ],
  [{ AUTH_DB_USER: 'auth' }, { DB_PASS: '' }, 'AUTH_DB_PASS: is required, because DB_PASS is empty'],
])('%j is refused', (env, changes, problem) => {
  expect(usersOf(env, changes).problems).toEqual([problem]);
});

test.each([
  [{}, {}],
  [{ AUTH_DB_PASS: 'x' }, {}],
  [{ AUTH_DB_USER: 'auth' }, { DB_USER: 'auth' }],
  [
    { AUTH_DB_USER: 'auth', AUTH_DB_PASS: 'x' },
    { DB_USER: 'auth', DB_PASS: 'x', DB_PASS_FILE: '' },
  ],
  [
    { AUTH_DB_USER: 'auth', AUTH_DB_PASS_FILE: '/x' },
    { DB_USER: 'auth', DB_PASS: '', DB_PASS_FILE: '/x' },
  ],
])('with %j, auth starts with %j', (env, login) => {
  expect(ownLogin('auth', env)).toEqual(login);
});
