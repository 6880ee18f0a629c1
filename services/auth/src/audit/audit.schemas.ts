import { id, idString, type ListQuery, pageQuery, timestamp } from '@shop/core/http';
import { z } from 'zod';

/** What is recorded. A new kind needs only its name here: the column takes any. */
export const auditEvents = [
  'registered',
  'login',
  'login_failures',
  'refresh_token_reused',
  'session_revoked',
  'all_sessions_revoked',
  'password_reset',
  'password_changed',
  'email_change_requested',
  'email_changed',
  'role_changed',
  'google_linked',
  'factor_enabled',
  'factor_disabled',
  'recovery_codes_renewed',
  'account_exported',
  'account_deleted',
] as const;

export type AuditEvent = (typeof auditEvents)[number];

export const auditQuery = z.object({
  ...pageQuery,
  user_id: idString.optional().meta({ description: 'Only events of this account' }),
  event: z
    .enum(auditEvents)
    .optional()
    .meta({ description: 'Only events of this kind', examples: ['login'] }),
});

export type AuditQuery = ListQuery<typeof auditQuery>;

export const auditEntry = z
  .object({
    id: id.meta({ description: 'The id of the entry' }),
    created_at: timestamp.meta({ description: 'When it happened' }),
    // Not an enum: after a rollback, the table has events of the release after.
    event: z
      .string()
      .meta({ description: `${auditEvents.join(', ')}, or one of a newer release`, examples: ['login'] }),
    user_id: id.meta({ description: 'The account that it happened to' }),
    actor_id: id.nullable().meta({ description: 'The user who did it; null if that is unknown' }),
    detail: z
      .string()
      .nullable()
      .meta({ description: 'More about some kinds of events', examples: ['password'] }),
    ip: z
      .string()
      .nullable()
      .meta({ description: 'IP address of the client; null once its account is deleted', examples: ['192.0.2.1'] }),
    user_agent: z
      .string()
      .nullable()
      .meta({
        description: 'Of the client, at most 255 characters; null once its account is deleted',
        examples: ['Mozilla/5.0'],
      }),
    request_id: z
      .string()
      .meta({ description: 'Of the request, as in the log', examples: ['0b8f7c1e-6d3a-4c55-9a51-3f1d2c9e7b42'] }),
  })
  .meta({ id: 'AuditEntry', description: 'Something that happened to an account' });

export type AuditEntry = z.input<typeof auditEntry>;
