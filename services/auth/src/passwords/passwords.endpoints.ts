import { notFound } from '@shop/core/errors';
import { accepted, type Endpoint, endpoint, ok } from '@shop/core/http';
import { clientOf } from '../audit/client';
import { tooManyAttempts } from '../guessing/guessing.errors';
import type { AuthContext } from '../service';
import { authTag } from '../tags';
import { changePassword } from './change-password';
import { invalidToken, weakPassword, wrongPassword } from './passwords.errors';
import {
  passwordChange,
  passwordReset,
  RESET_SECONDS,
  resetByMail,
  resetInResponse,
  resetRequest,
} from './passwords.schemas';
import { requestReset, requestResetByMail } from './request-reset';
import { resetPassword } from './reset-password';

export const passwordEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/forgot-password',
    operationId: 'requestPasswordReset',
    tag: authTag,
    summary: 'Request a password reset token',
    description:
      'The token is sent by mail, and the response is 202 whether or not the email address is known. Only in the local ' +
      'development environment does the response contain the token (200), and an unknown email address gets a 404. A new ' +
      'token supersedes older ones. At most 3 mails per account and 20 per client IP address are sent in an hour; beyond ' +
      'that the response is the same, but no mail is sent.',
    access: 'public',
    body: resetRequest,
    responses: { 200: resetInResponse, 202: resetByMail },
    errors: [notFound],
    handler: async ({ body, clientIp }) => {
      if (ctx.config.appEnv === 'local') {
        return ok({ reset_token: await requestReset(ctx, body.email, clientIp), expires_in: RESET_SECONDS });
      }
      await requestResetByMail(ctx, body.email, clientIp);
      return accepted({ expires_in: RESET_SECONDS });
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/reset-password',
    operationId: 'resetPassword',
    tag: authTag,
    summary: 'Set a new password with a reset token; ends all sessions',
    access: 'public',
    body: passwordReset,
    responses: { 204: 'empty' },
    errors: [invalidToken, weakPassword],
    handler: async ({ body, ...input }) => await resetPassword(ctx, body, clientOf(input)),
  }),

  endpoint({
    method: 'put',
    path: '/api/v1/auth/me/password',
    operationId: 'changePassword',
    tag: authTag,
    summary: 'Change your password; ends all your other sessions',
    description: 'Accounts without a password set their first one through a password reset.',
    access: 'user',
    body: passwordChange,
    responses: { 204: 'empty' },
    errors: [wrongPassword, weakPassword, tooManyAttempts],
    handler: async ({ caller, body, ...input }) => await changePassword(ctx, caller, body, clientOf(input)),
  }),
];
