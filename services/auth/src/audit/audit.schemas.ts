import { id, idString, pageQuery, timestamp } from '@shop/core/http';
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
  user_id: idString.optional(),
  event: z.enum(auditEvents).optional(),
});

export type AuditQuery = z.output<typeof auditQuery>;

export const auditEntry = z
  .object({
    id,
    created_at: timestamp,
    // Not an enum: after a rollback, the table has events of the release after.
    event: z.string().meta({ description: `${auditEvents.join(', ')}, or one of a newer release` }),
    user_id: id.meta({ description: 'The account that it happened to' }),
    actor_id: id.nullable().meta({ description: 'The user who did it; null if that is unknown' }),
    detail: z.string().nullable(),
    ip: z.string().nullable().meta({ description: 'Of the client; null once its account is deleted' }),
    user_agent: z.string().nullable().meta({ description: 'At most 255 characters; null once its account is deleted' }),
    request_id: z.string().meta({ description: 'Of the request, as in the log' }),
  })
  .meta({ id: 'AuditEntry' });

export type AuditEntry = z.input<typeof auditEntry>;
