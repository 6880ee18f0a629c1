import { randomInt, randomUUID } from 'node:crypto';
import { rows, type TestApp } from '@shop/testing';

export interface TokenSet {
  token: string;
  expires_in: number;
  expires_at: string;
  refresh_token: string;
  refresh_expires_at: string;
}

/** What somebody fills in to register; nobody else has it. */
export const aPerson = (overrides: Record<string, unknown> = {}) => ({
  name: 'Ada',
  email: `${randomUUID()}@example.com`,
  phone: `+${randomInt(1e10, 1e12)}`,
  password: 'a good password',
  ...overrides,
});

export type Person = ReturnType<typeof aPerson>;

export interface Registered extends Person {
  id: number;
  set: TokenSet;
  /** Ready for supertest's `.set()`. */
  auth: { Authorization: string };
}

/** Somebody who came by registering: with a password, a store and a token set. */
export async function aRegistered(app: TestApp): Promise<Registered> {
  const person = aPerson();
  const answer = await app.http.post('/api/v1/auth/register').send(person).expect(201);
  const [user] = await rows<{ id: number }>('SELECT id FROM users WHERE email = ?', [person.email]);
  return { ...person, id: user?.id ?? 0, set: answer.body, auth: { Authorization: `Bearer ${answer.body.token}` } };
}

export const logIn = (app: TestApp, { email, password }: { email: string; password: string }) =>
  app.http.post('/api/v1/auth/login').send({ email, password });

export const refresh = (app: TestApp, refreshToken: string) =>
  app.http.post('/api/v1/auth/refresh').send({ refresh_token: refreshToken });

/** What an access token claims, not verified. */
export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
