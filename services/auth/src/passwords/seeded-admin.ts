import { defineError } from '@shop/core/errors';
import type { AuthContext } from '../service';
import type { Credentials } from '../sessions/sessions.schemas';
import { findCredentials } from './credentials.sql';

/** The development admin that sql/seed.sql creates. Its password is public. */
const SEEDED: Credentials = { email: 'admin@example.com', password: 'admin123' };

const seededAdmin = defineError(
  'unavailable',
  'seeded_admin_password',
  `${SEEDED.email} is an administrator with the password of sql/seed.sql: delete that account or change its password.`,
);

export async function assertNoSeededAdmin(ctx: AuthContext): Promise<void> {
  const account = await findCredentials(ctx.db, SEEDED.email);
  if (account && (await ctx.passwordHasher.matches(SEEDED.password, account.passwordHash))) throw seededAdmin();
}

export const isSeededLogin = ({ email, password }: Credentials): boolean =>
  email === SEEDED.email && password === SEEDED.password;
