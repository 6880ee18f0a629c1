import { createHash } from 'node:crypto';
import type { Quota } from '../quotas/quota';

const MAILS_PER_ACCOUNT = 3;
const MAILS_PER_CLIENT = 20;
const WINDOW_MS = 3_600_000;

const hourly = (subject: string, limit: number): Quota => ({ subject, limit, windowMs: WINDOW_MS });

/**
 * Per email address, known or not, and per client. The address is hashed, because it may be longer than a subject.
 * @param purpose mails of different purposes are counted apart
 */
export const mailQuotas = (purpose: 'reset' | 'verify' | 'change', email: string, client: string): Quota[] => [
  hourly(`${purpose}:email:${createHash('sha256').update(email).digest('hex')}`, MAILS_PER_ACCOUNT),
  hourly(`${purpose}:client:${client}`, MAILS_PER_CLIENT),
];
