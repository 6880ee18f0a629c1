import { accepted, type Endpoint, endpoint } from '@shop/core/http';
import { emailTaken } from '../accounts/accounts.errors';
import { clientOf } from '../audit/client';
import { tooManyAttempts } from '../guessing/guessing.errors';
import { invalidToken, wrongPassword } from '../passwords/passwords.errors';
import type { AuthContext } from '../service';
import { authTag } from '../tags';
import { changeEmail } from './change-email';
import { emailChange, givenVerification, verificationSent } from './email.schemas';
import { resendVerification } from './send-verification';
import { verifyEmail } from './verify-email';

const inLocal = (token: string | undefined) => accepted(token === undefined ? {} : { verification_token: token });

export const emailEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/verify-email',
    operationId: 'verifyEmail',
    tag: authTag,
    summary: 'Confirm an email address with the token that was mailed to it',
    description: 'A token works once, for 24 hours. A newer one supersedes it.',
    access: 'public',
    body: givenVerification,
    responses: { 204: 'empty' },
    errors: [invalidToken, emailTaken],
    handler: async ({ body, ...input }) => await verifyEmail(ctx, body.token, clientOf(input)),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/verify-email/resend',
    operationId: 'resendVerificationMail',
    tag: authTag,
    summary: 'Mail a new token for your email address, unless it is verified',
    description:
      'At most 3 mails to an email address and 20 per client IP address are sent in an hour; beyond that the response is the ' +
      'same, but no mail is sent.',
    access: 'user',
    responses: { 202: verificationSent },
    handler: async ({ caller, clientIp }) => inLocal(await resendVerification(ctx, caller, clientIp)),
  }),

  endpoint({
    method: 'put',
    path: '/api/v1/auth/me/email',
    operationId: 'changeEmail',
    tag: authTag,
    summary: 'Change your email address',
    description:
      'The new address counts once it is verified with the token that is mailed to it. A mail tells the old address. Accounts ' +
      'without a password set one through a password reset first.',
    access: 'user',
    body: emailChange,
    responses: { 202: verificationSent },
    errors: [emailTaken, wrongPassword, tooManyAttempts],
    handler: async ({ caller, body, ...input }) => inLocal(await changeEmail(ctx, caller, body, clientOf(input))),
  }),
];
