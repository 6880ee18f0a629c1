import { text } from '@shop/core/http';
import { z } from 'zod';
import { givenPassword } from '../passwords/passwords.schemas';

/** One of another form is a wrong code, not an invalid request. */
export const givenCode = text(1, 64).meta({ description: 'The 6 digits that the app shows, or a recovery code' });

export const factor = z
  .object({ enabled: z.boolean(), recovery_codes_left: z.int() })
  .meta({ id: 'SecondFactor', description: 'Enabled once it is confirmed' });

export const factorSetup = z.strictObject({ current_password: givenPassword });

export const pendingFactor = z.object({
  secret: z.string().meta({ description: 'Base32, for apps that cannot scan the URI as a QR code' }),
  otpauth_uri: z.string(),
});

export const factorConfirmation = z.strictObject({ code: givenCode });

export const factorRemoval = z.strictObject({ current_password: givenPassword, code: givenCode });

export type FactorRemoval = z.output<typeof factorRemoval>;

export const recoveryCodes = z.object({
  recovery_codes: z.array(z.string()).meta({ description: 'Each works once instead of a code. Not shown again' }),
});
