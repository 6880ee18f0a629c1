import { notFound, overloaded } from '@shop/core/errors';
import { accepted, type Endpoint, endpoint, noContent, ok } from '@shop/core/http';
import type { AuthContext } from '../service';
import { invalidToken } from './passwords.errors';
import { passwordReset, RESET_SECONDS, resetByAnswer, resetByMail, resetRequest } from './passwords.schemas';
import { requestReset, requestResetByMail } from './request-reset';
import { resetPassword } from './reset-password';

const tag = 'auth';

export const passwordEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/forgot-password',
    tag,
    summary: 'Ask for a password reset token',
    description:
      'The token goes by mail, and the response is 202 whether or not the email address is known. Only in the local ' +
      'development environment the token is in the response (200), and an unknown email address is 404. A new token ' +
      'supersedes older ones. At most 3 mails for one account and 20 for one client address are sent in an hour; beyond ' +
      'that the response is the same.',
    access: 'public',
    body: resetRequest,
    responses: { 200: resetByAnswer, 202: resetByMail },
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
    tag,
    summary: 'Set a new password with a reset token; ends all sessions',
    access: 'public',
    body: passwordReset,
    responses: { 204: 'empty' },
    errors: [invalidToken, overloaded],
    handler: async ({ body }) => {
      await resetPassword(ctx, body);
      return noContent();
    },
  }),
];
