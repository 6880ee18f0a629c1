import { parseBlock } from '@shop/core/config';
import type { ProductionRules } from '@shop/core/service';
import { z } from 'zod';

const PLACEHOLDER =
  /change.?(me|this)|replace.?(me|this|it)|your.?(own.?)?(super.?)?(jwt.?)?(secret|password|key)|please.?replace|placeholder|example|^<.*>$|^(\.{3}|…|x+|todo|tbd)$/i;

/** Secrets that stand in public files: this project's own, jwt.io's and those of tutorials. */
const WELL_KNOWN_SECRET = /development|for-tests-only|256-bit|(super|very|top).?secret/i;
const MIN_DIFFERENT_CHARACTERS = 8;

/** What images, compose files and tutorials come with, and what people type instead, digits after it included. */
const WELL_KNOWN_PASSWORD =
  /^(pass(word|wd)?|p[a@]ssw[o0]rd|root|toor|admin|administrator|user|guest|secret|test|default|letmein|qwerty|mysql|mariadb|redis|foobared|database|db|ecommerce|shop|grafana|prometheus)?[-_]?\d*!?$/i;

/** Whether a value only says that another one belongs there. */
const isPlaceholder = (value: string): boolean => PLACEHOLDER.test(value);

/** Why a signing secret can be guessed, however long it is. */
function weaknessOf(secret: string): string | undefined {
  if (isPlaceholder(secret)) return 'is a placeholder';
  const isGuessable = WELL_KNOWN_SECRET.test(secret) || new Set(secret).size < MIN_DIFFERENT_CHARACTERS;
  return isGuessable ? 'is a well-known value' : undefined;
}

const isWellKnownPassword = (value: string): boolean =>
  WELL_KNOWN_PASSWORD.test(value) || WELL_KNOWN_SECRET.test(value);

const HOW = 'make one with `openssl rand -hex 24`';
const password = z
  .string()
  .refine((value) => !isPlaceholder(value), `is a placeholder: ${HOW}`)
  .refine((value) => isPlaceholder(value) || !isWellKnownPassword(value), `is a well-known password: ${HOW}`);

const items = (list: string): string[] =>
  list
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/**
 * A proxy is trusted to say who the client is, so a block that holds a good part of the internet lets clients choose their
 * address. No private network is larger than these.
 */
function isTooWide(text: string): boolean {
  const block = parseBlock(text);
  // Refused in every environment.
  if (!block) return false;
  if (block.version === 4) return block.prefix < 8;
  return block.prefix < (block.isLocal ? 7 : 16);
}

/**
 * GRAFANA_ADMIN_PASSWORD is no service's business; it stands in the same environment file as the services' settings, and
 * they are the ones that can refuse to start.
 */
const productionSettings = z
  .object({
    DB_PASS: password,
    REDIS_HOST: z.string().optional(),
    REDIS_PASSWORD: password.optional(),
    GRAFANA_ADMIN_PASSWORD: password.optional(),
    CORS_ORIGINS: z
      .string()
      .refine((list) => !items(list).includes('*'), 'may not be "*" in production: name the origins')
      .refine(
        (list) => items(list).every((origin) => !origin.startsWith('http:')),
        'must be https origins in production: a page that comes over http can be changed on the way',
      )
      .optional(),
    TRUST_PROXY: z
      .string({ error: 'is required in production: behind a proxy, all clients would share one rate limit' })
      .refine(
        (list) => !items(list).some(isTooWide),
        'trusts too many addresses: in production IPv4 blocks are /8 or smaller, IPv6 blocks /16 or smaller (private ' +
          'ones, fc00::/7 and fe80::/10, as they are)',
      ),
  })
  .refine(({ REDIS_HOST, REDIS_PASSWORD }) => !REDIS_HOST || REDIS_PASSWORD, {
    path: ['REDIS_PASSWORD'],
    error:
      'is required in production where REDIS_HOST is set: otherwise any process on its network can change cached responses',
    // Also beside other wrong settings: a bad start names all of them.
    when: () => true,
  });

/** What production refuses beyond what every environment does. See docs/decisions/0014-production-refusals.md. */
export const productionRules: ProductionRules = { settings: productionSettings, weaknessOf };
