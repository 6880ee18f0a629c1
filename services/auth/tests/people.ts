import { randomInt, randomUUID } from 'node:crypto';
import { rows, type TestApp } from '@shop/testing';

interface TokenSet {
  token: string;
  expires_in: number;
  expires_at: string;
  refresh_token: string;
  refresh_expires_at: string;
}

/** Unique registration data. */
export const aPerson = (overrides: Record<string, unknown> = {}) => ({
  name: 'Ada',
  email: `${randomUUID()}@example.com`,
  phone: `+${randomInt(1e10, 1e12)}`,
  password: 'a good password',
  ...overrides,
});

type Person = ReturnType<typeof aPerson>;

export interface Registered extends Person {
  id: number;
  set: TokenSet;
  /** For supertest's `.set()`. */
  auth: { Authorization: string };
}

/** A user registered through the API, with a password, a store and a token set. */
export async function aRegisteredUser(app: TestApp): Promise<Registered> {
  const person = aPerson();
  const response = await app.http.post('/api/v1/auth/register').send(person).expect(201);
  const [user] = await rows<{ id: number }>('SELECT id FROM users WHERE email = ?', [person.email]);
  return { ...person, id: user?.id ?? 0, set: response.body, auth: { Authorization: `Bearer ${response.body.token}` } };
}

export const logIn = (app: TestApp, { email, password }: { email: string; password: string }) =>
  app.http.post('/api/v1/auth/login').send({ email, password });

export const refresh = (app: TestApp, refreshToken: string) =>
  app.http.post('/api/v1/auth/refresh').send({ refresh_token: refreshToken });

/** The claims of an access token, without verification. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
