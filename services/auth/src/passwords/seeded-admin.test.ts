import { randomUUID } from 'node:crypto';
import { authService } from '@shop/auth';
import type { Env } from '@shop/core/config';
import { aFreshDatabase, capturedLog, productionEnv, startApp, type TestApp, testEnv, write } from '@shop/testing';
import { logIn } from '../../tests/people';
import { createPasswordHasher } from './password-hasher';

const SEEDED = { email: 'admin@example.com', password: 'admin123' };
const apps: TestApp[] = [];
let production: Env;
let database: string;

async function start(env: Env): Promise<TestApp> {
  const app = await startApp(authService, env);
  apps.push(app);
  return app;
}
beforeEach(async () => {
  database = await aFreshDatabase();
  production = await productionEnv(database);
});
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
  await write(`DROP DATABASE ${database}`);
});

const ready = async (app: TestApp) => {
  const { status, body } = await app.http.get('/ready');
  return [status, body.code];
};
const hashOf = (password: string) => {
  const hasher = createPasswordHasher({ current: undefined, previous: [] }, capturedLog().logger);
  return hasher.hash(password, '');
};
const setHash = (hash: string) =>
  write(`UPDATE ${database}.users SET password_hash = ? WHERE email = ?`, [hash, SEEDED.email]);

test('production is not ready and reports why until the seeded admin has another password', async () => {
  const app = await start(production);
  expect(await ready(app)).toEqual([503, 'seeded_admin_password']);
  expect((await app.http.get('/ready')).body.detail).toContain(SEEDED.email);
  await setHash(await hashOf(`${SEEDED.password}-${randomUUID()}`));
  expect(await ready(app)).toEqual([200, undefined]);
});

test('the password decides, not the seeded hash', async () => {
  await setHash(await hashOf(SEEDED.password));
  expect(await ready(await start(production))).toEqual([503, 'seeded_admin_password']);
});

test('production is ready without that account', async () => {
  await write(`UPDATE ${database}.users SET email = 'owner@shop.test' WHERE email = ?`, [SEEDED.email]);
  expect(await ready(await start(production))).toEqual([200, undefined]);
});

test('the seeded login is refused in production, ready or not', async () => {
  const app = await start(production);
  const refused = await logIn(app, SEEDED).expect(401);
  expect(refused.body.code).toBe('invalid_credentials');
  await logIn(app, { ...SEEDED, email: ' Admin@Example.com' }).expect(401);
});

test('outside production the seeded admin can log in', async () => {
  const app = await start({ ...testEnv(), DB_NAME: database });
  expect(await ready(app)).toEqual([200, undefined]);
  await logIn(app, SEEDED).expect(200);
});
