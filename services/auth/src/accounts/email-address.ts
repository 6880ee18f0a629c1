import { text } from '@shop/core/http';
import { z } from 'zod';

/** The longest email address that SMTP can deliver to (RFC 5321: a path has 256 characters, angle brackets included). */
const MAX_LENGTH = 254;

/**
 * Accepts what HTML's `<input type=email>` accepts; international domains must be punycode. Validates before lower-casing:
 * only ASCII passes, so no other character can turn into a letter of another user's email address (the Kelvin sign
 * lower-cases to "k").
 */
export const emailAddress = text(1, MAX_LENGTH)
  .regex(z.regexes.html5Email, 'must be an email address')
  .toLowerCase()
  .meta({
    format: 'email',
    maxLength: MAX_LENGTH,
    description: 'An email address; international domains as punycode. Upper and lower case are the same',
    examples: ['ada@example.com'],
  });
