import { type Endpoint, endpoint } from '@shop/core/http';
import { clientOf } from '../audit/client';
import {
  factorNotConfigured,
  invalidCode,
  secondFactorRequired,
  tooManyCodes,
} from '../second-factor/second-factor.errors';
import type { AuthContext } from '../service';
import { tokenResponse } from '../sessions/session-cookies';
import { tokenQuery, tokens } from '../sessions/sessions.schemas';
import { authTag } from '../tags';
import { googleUnavailable, invalidIdToken, ssoNotConfigured } from './google.errors';
import { googleSignIn } from './google.schemas';
import { signInWithGoogle } from './sign-in-with-google';

export const googleEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'post',
    path: '/api/v1/auth/sso/google',
    operationId: 'logInWithGoogle',
    tag: authTag,
    summary: 'Log in with a Google ID token; opens an account if the email address is new',
    description: 'An account with a second factor needs a code, too, as in a login with a password.',
    access: 'public',
    query: tokenQuery,
    body: googleSignIn,
    responses: { 200: tokens },
    setsCookies: true,
    errors: [
      invalidIdToken,
      secondFactorRequired,
      invalidCode,
      tooManyCodes,
      factorNotConfigured,
      googleUnavailable,
      ssoNotConfigured,
    ],
    handler: async ({ query, body, ...input }) => {
      const signIn = signInWithGoogle(ctx, body, clientOf(input));
      return tokenResponse(await ctx.loginCounter.count('google', signIn), query.cookies === 'true');
    },
  }),
];
