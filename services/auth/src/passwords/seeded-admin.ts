import { defineError } from '@shop/core/errors';
import type { AuthContext } from '../service';
import type { Credentials } from '../sessions/sessions.schemas';
import { findCredentials } from './credentials.sql';

/** The development admin that sql/seed.sql creates. Its password is public. */
const SEEDED: Credentials = { email: 'admin@example.com', password: 'admin123' };

/** Takes the place of a client. */
const READINESS = 'readiness';

export const seededAdmin = defineError(
  'unavailable',
  'seeded_admin_password',
  `${SEEDED.email} is an administrator with the password of sql/seed.sql: delete that account or change its password.`,
  {
    when: '`GET /ready` in production, while the administrator of the development data has its public password.',
    action: 'Operators: delete that account, or change its password.',
  },
);

export async function assertNoSeededAdmin(ctx: AuthContext): Promise<void> {
  const account = await findCredentials(ctx.db, SEEDED.email, READINESS);
  if (!account) return;
  const match = await ctx.passwordHasher.match(SEEDED.password, account.passwordHash, READINESS);
  if (match !== 'none') throw seededAdmin();
}

export const isSeededLogin = ({ email, password }: Credentials): boolean =>
  email === SEEDED.email && password.normalize('NFC') === SEEDED.password;
