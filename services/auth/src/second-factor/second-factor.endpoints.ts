import { type Endpoint, endpoint, ok } from '@shop/core/http';
import { clientOf } from '../audit/client';
import { tooManyAttempts } from '../guessing/guessing.errors';
import { wrongPassword } from '../passwords/passwords.errors';
import type { AuthContext } from '../service';
import { authTag } from '../tags';
import { renewRecoveryCodes } from './recovery-codes';
import { removeFactor } from './remove-factor';
import { factorEnabled, factorNotConfigured, noFactor, tooManyCodes, wrongCode } from './second-factor.errors';
import {
  factor,
  factorConfirmation,
  factorRemoval,
  factorSetup,
  pendingFactor,
  recoveryCodes,
} from './second-factor.schemas';
import { findConfirmedFactor } from './second-factors.sql';
import { confirmFactor, setUpFactor } from './set-up-factor';

export const secondFactorEndpoints = (ctx: AuthContext): Endpoint[] => [
  endpoint({
    method: 'get',
    path: '/api/v1/auth/me/factor',
    operationId: 'getSecondFactor',
    tag: authTag,
    summary: 'Get whether your logins need a second factor',
    access: 'user',
    responses: { 200: factor },
    handler: async ({ caller }) => {
      const found = await findConfirmedFactor(ctx.db, caller.id);
      return ok({ enabled: found !== undefined, recovery_codes_left: found?.recoveryCodes ?? 0 });
    },
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/me/factor',
    operationId: 'setUpSecondFactor',
    tag: authTag,
    summary: 'Set up a second factor: an app that shows codes (TOTP, RFC 6238)',
    description:
      'It is not in force until it is confirmed with a code. Until then, another call replaces it. Accounts without a password ' +
      'set one through a password reset first.',
    access: 'user',
    body: factorSetup,
    responses: { 200: pendingFactor },
    errors: [wrongPassword, tooManyAttempts, factorEnabled, factorNotConfigured],
    handler: async ({ caller, body, ...input }) =>
      ok(await setUpFactor(ctx, caller, body.current_password, clientOf(input))),
  }),

  endpoint({
    method: 'put',
    path: '/api/v1/auth/me/factor',
    operationId: 'confirmSecondFactor',
    tag: authTag,
    summary: 'Confirm the second factor with a code; returns the recovery codes',
    description: 'From now on, every login needs a code. Sessions that have begun go on.',
    access: 'user',
    body: factorConfirmation,
    responses: { 200: recoveryCodes },
    errors: [wrongCode, noFactor, factorEnabled, tooManyCodes, factorNotConfigured],
    handler: async ({ caller, body, ...input }) =>
      ok({ recovery_codes: await confirmFactor(ctx, caller, body.code, clientOf(input)) }),
  }),

  endpoint({
    method: 'delete',
    path: '/api/v1/auth/me/factor',
    operationId: 'removeSecondFactor',
    tag: authTag,
    summary: 'Remove the second factor and its recovery codes',
    access: 'user',
    body: factorRemoval,
    responses: { 204: 'empty' },
    errors: [wrongPassword, tooManyAttempts, wrongCode, noFactor, tooManyCodes, factorNotConfigured],
    handler: async ({ caller, body, ...input }) => await removeFactor(ctx, caller, body, clientOf(input)),
  }),

  endpoint({
    method: 'post',
    path: '/api/v1/auth/me/factor/recovery-codes',
    operationId: 'renewRecoveryCodes',
    tag: authTag,
    summary: 'Get new recovery codes; the old ones end',
    access: 'user',
    body: factorSetup,
    responses: { 200: recoveryCodes },
    errors: [wrongPassword, tooManyAttempts, noFactor],
    handler: async ({ caller, body, ...input }) =>
      ok({ recovery_codes: await renewRecoveryCodes(ctx, caller, body.current_password, clientOf(input)) }),
  }),
];
