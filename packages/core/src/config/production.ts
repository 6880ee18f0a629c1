import { z } from 'zod';

/** Secrets that stand in public files: this project's own, jwt.io's and those of tutorials. */
const WELL_KNOWN_SECRET =
  /development|for-tests-only|256-bit|change.?(me|this)|replace.?(me|this)|your.?(jwt.?)?secret|(super|very|top).?secret|placeholder|example/i;
const MIN_DIFFERENT_CHARACTERS = 8;

/** Whether a signing secret can be guessed, however long it is. */
export const isWellKnownSecret = (secret: string): boolean =>
  WELL_KNOWN_SECRET.test(secret) || new Set(secret).size < MIN_DIFFERENT_CHARACTERS;

/** What images, compose files and tutorials come with, and what people type instead, digits after it included. */
const WELL_KNOWN_PASSWORD =
  /^(pass(word|wd)?|p[a@]ssw[o0]rd|root|toor|admin|administrator|user|guest|secret|test|default|letmein|qwerty|mysql|mariadb|database|db|ecommerce|shop|grafana|prometheus)?[-_]?\d*!?$/i;

const password = z
  .string()
  .refine(
    (value) => !WELL_KNOWN_PASSWORD.test(value) && !WELL_KNOWN_SECRET.test(value),
    'is a well-known password: make one with `openssl rand -hex 24`',
  );

const items = (list: string): string[] => list.split(',').map((item) => item.trim());

/**
 * What production asks for beyond what every environment does. A schema of its own, so that each refusal is named
 * beside whatever else is wrong. GRAFANA_ADMIN_PASSWORD is no service's business; it stands in the same environment
 * file as the services' settings, and they are the ones that can refuse to start.
 */
export const productionSettings = z.object({
  DB_PASS: password,
  GRAFANA_ADMIN_PASSWORD: password.optional(),
  CORS_ORIGINS: z
    .string()
    .refine((list) => !items(list).includes('*'), 'may not be "*" in production: name the origins')
    .optional(),
  TRUST_PROXY: z
    .string({ error: 'is required in production: behind a proxy, all clients would share one rate limit' })
    .refine((list) => !items(list).some((block) => block.endsWith('/0')), 'may not trust every address'),
});
