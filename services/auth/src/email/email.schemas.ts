import { text } from '@shop/core/http';
import { z } from 'zod';
import { emailAddress } from '../accounts/email-address';
import { givenPassword } from '../passwords/passwords.schemas';

export const VERIFICATION_SECONDS = 86_400;

export const verificationToken = z
  .string()
  .meta({ description: 'In the local environment only. Elsewhere it is sent by mail.' });

export const givenVerification = z.strictObject({ token: text(1, 1000) });

export const emailChange = z.strictObject({ email: emailAddress, current_password: givenPassword });

export type EmailChange = z.output<typeof emailChange>;

export const verificationSent = z.object({ verification_token: verificationToken.optional() });
