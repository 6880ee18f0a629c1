import { text } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenPassword } from '../passwords/passwords.schemas';

export const VERIFICATION_SECONDS = 86_400;

const EXAMPLE_TOKEN = 'kY3vB0tq8yTnE5Zr1cWm4uHs7JxQfPaL';

export const verificationToken = z.string().meta({
  description: 'In the local environment only. Elsewhere it is sent by mail.',
  examples: [EXAMPLE_TOKEN],
});

export const givenVerification = z
  .strictObject({ token: text(1, 1000).meta({ description: 'The token of the mail', examples: [EXAMPLE_TOKEN] }) })
  .meta({ id: 'EmailVerification', description: 'Proves that the mail was received' });

export const emailChange = z
  .strictObject({ email: emailAddress, current_password: givenPassword })
  .meta({ id: 'EmailChange', description: 'The new email address' });

export type EmailChange = z.output<typeof emailChange>;

export const verificationSent = z
  .object({ verification_token: verificationToken.optional() })
  .meta({ id: 'VerificationSent', description: 'Outside the local environment it is empty' });
