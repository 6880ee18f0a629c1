import { text } from '@shop/core/http';
import { z } from 'zod';
import { givenPassword } from '../passwords/passwords.schemas';

/** One of another form is a wrong code, not an invalid request. */
export const givenCode = text(1, 64).meta({
  description: 'The 6 digits that the app shows, or a recovery code',
  examples: ['492039'],
});

export const factor = z
  .object({
    enabled: z.boolean().meta({ description: 'Whether a login needs a code', examples: [true] }),
    recovery_codes_left: z.int().meta({ description: 'The recovery codes that are not used yet', examples: [10] }),
  })
  .meta({ id: 'SecondFactor', description: 'Enabled once it is confirmed' });

export const factorSetup = z
  .strictObject({ current_password: givenPassword })
  .meta({ id: 'PasswordConfirmation', description: 'Proves that it is the owner of the account' });

export const pendingFactor = z
  .object({
    secret: z.string().meta({
      description: 'Base32, for apps that cannot scan the URI as a QR code',
      examples: ['JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'],
    }),
    otpauth_uri: z.string().meta({
      description: 'Show it as a QR code',
      examples: ['otpauth://totp/Shop:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Shop'],
    }),
  })
  .meta({ id: 'PendingSecondFactor', description: 'A second factor that is not confirmed yet' });

export const factorConfirmation = z
  .strictObject({ code: givenCode })
  .meta({ id: 'SecondFactorConfirmation', description: 'Proves that the app shows the right codes' });

export const factorRemoval = z
  .strictObject({ current_password: givenPassword, code: givenCode })
  .meta({ id: 'SecondFactorRemoval', description: 'Password and code' });

export type FactorRemoval = z.output<typeof factorRemoval>;

export const recoveryCodes = z
  .object({
    recovery_codes: z.array(z.string()).meta({
      description: 'Each works once instead of a code. Not shown again',
      examples: [['8k2p-4m9x', 'w3jd-7hq5']],
    }),
  })
  .meta({ id: 'RecoveryCodes', description: 'For a lost phone' });
