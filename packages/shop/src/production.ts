import { parseBlock } from '@shop/core/config';
import type { ProductionRules } from '@shop/core/service';
import { z } from 'zod';

const PLACEHOLDER =
  /change.?(me|this)|replace.?(me|this|it)|your.?(own.?)?(super.?)?(jwt.?)?(secret|password|key)|please.?replace|placeholder|example|^<.*>$|^(\.{3}|…|x+|todo|tbd)$/i;

/** Secrets from public files: those of this project, of jwt.io and of tutorials. */
const WELL_KNOWN_SECRET = /development|for-tests-only|256-bit|(super|very|top).?secret/i;
const MIN_DIFFERENT_CHARACTERS = 8;

/**
 * Default passwords of images, compose files and tutorials, and common weak passwords, with or without trailing digits.
 */
const WELL_KNOWN_PASSWORD =
  /^(pass(word|wd)?|p[a@]ssw[o0]rd|root|toor|admin|administrator|user|guest|secret|test|default|letmein|qwerty|mysql|mariadb|redis|foobared|database|db|ecommerce|shop|grafana|prometheus)?[-_]?\d*!?$/i;

/** Whether a value is a placeholder for a real one. */
const isPlaceholder = (value: string): boolean => PLACEHOLDER.test(value);

/** Returns why a signing secret is easy to guess, whatever its length. */
function weaknessOf(secret: string): string | undefined {
  if (isPlaceholder(secret)) return 'is a placeholder';
  const isGuessable = WELL_KNOWN_SECRET.test(secret) || new Set(secret).size < MIN_DIFFERENT_CHARACTERS;
  return isGuessable ? 'is a well-known value' : undefined;
}

const isWellKnownPassword = (value: string): boolean =>
  WELL_KNOWN_PASSWORD.test(value) || WELL_KNOWN_SECRET.test(value);

const HOW_TO_FIX = 'make one with `openssl rand -hex 24`';
const password = z
  .string()
  .refine((value) => !isPlaceholder(value), `is a placeholder: ${HOW_TO_FIX}`)
  .refine((value) => isPlaceholder(value) || !isWellKnownPassword(value), `is a well-known password: ${HOW_TO_FIX}`);

const key = z.string().check(({ value, issues }) => {
  const weakness = weaknessOf(value);
  if (weakness) issues.push({ code: 'custom', input: value, message: `${weakness}: ${HOW_TO_FIX}` });
});

const items = (list: string): string[] =>
  list
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);

/**
 * A trusted proxy reports the IP address of the client. If a trusted block covers a large part of the internet, clients can
 * choose their own IP address. No private network is larger than these limits.
 */
function isTooWide(text: string): boolean {
  const block = parseBlock(text);
  // An invalid block is refused in every environment, by the core settings.
  if (!block) return false;
  if (block.version === 4) return block.prefix < 8;
  return block.prefix < (block.isLocal ? 7 : 16);
}

/**
 * No service uses GRAFANA_ADMIN_PASSWORD, and only auth uses FACTOR_KEY. But both are in the same environment file as the other
 * settings, and only a service can refuse to start.
 */
const productionSettings = z
  .object({
    DB_PASS: password,
    FACTOR_KEY: key.optional(),
    REDIS_HOST: z.string().optional(),
    REDIS_SENTINELS: z.string().optional(),
    REDIS_PASSWORD: password.optional(),
    REDIS_SENTINEL_PASSWORD: password.optional(),
    GRAFANA_ADMIN_PASSWORD: password.optional(),
    CORS_ORIGINS: z
      .string()
      .refine((list) => !items(list).includes('*'), 'may not be "*" in production: name the origins')
      .refine(
        (list) => items(list).every((origin) => !origin.startsWith('http:')),
        'must be https origins in production: an attacker on the network can modify a page sent over http',
      )
      .optional(),
    TRUST_PROXY: z
      .string({ error: 'is required in production: behind a proxy, all clients would share one rate limit' })
      .refine(
        (list) => !items(list).some(isTooWide),
        'trusts too many addresses: in production, IPv4 blocks must be /8 or smaller, IPv6 blocks /16 or smaller (except ' +
          'the private blocks fc00::/7 and fe80::/10)',
      ),
  })
  .refine(({ REDIS_HOST, REDIS_SENTINELS, REDIS_PASSWORD }) => !(REDIS_HOST || REDIS_SENTINELS) || REDIS_PASSWORD, {
    path: ['REDIS_PASSWORD'],
    error:
      'is required in production where REDIS_HOST or REDIS_SENTINELS is set: otherwise any process on its network can change cached responses',
    // Checked even if other settings are invalid, so that a failed start reports all of them.
    when: () => true,
  });

/** Additional checks of the settings in production. See docs/decisions/0014-production-refusals.md. */
export const productionRules: ProductionRules = { settings: productionSettings, weaknessOf };
