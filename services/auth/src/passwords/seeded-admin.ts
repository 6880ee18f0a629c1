import { defineError } from '@shop/core';
import type { Credentials } from '../sessions/session.schemas';
import type { CredentialRepository } from './credential.repository';
import type { PasswordHasher } from './password-hasher';

/** Whom sql/seed.sql makes, for development; everybody can read it there. */
const SEEDED: Credentials = { email: 'admin@example.com', password: 'admin123' };

export const seededAdmin = defineError(
  'unavailable',
  'seeded_admin_password',
  `${SEEDED.email} is an administrator with the password of sql/seed.sql: delete that account or change its password.`,
);

interface Parts {
  credentials: Pick<CredentialRepository, 'findByEmail'>;
  passwords: Pick<PasswordHasher, 'matches'>;
}

/** @throws AppError `seeded_admin_password` while the seeded account can be opened by anybody */
export const refuseSeededAdmin =
  ({ credentials, passwords }: Parts) =>
  async (): Promise<void> => {
    const account = await credentials.findByEmail(SEEDED.email);
    if (account && (await passwords.matches(SEEDED.password, account.passwordHash))) throw seededAdmin();
  };

/**
 * An unready instance still answers whoever comes past the balancer: there the published pair is a wrong password like
 * any other, in words and in time.
 */
export const withoutSeededLogin =
  <T>(logIn: (credentials: Credentials) => Promise<T>) =>
  (given: Credentials): Promise<T> => {
    const isPublished = given.email === SEEDED.email && given.password === SEEDED.password;
    return logIn(isPublished ? { ...given, password: '' } : given);
  };
