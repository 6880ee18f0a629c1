import { text } from '@shop/core/http';
import { z } from 'zod';

/** The longest address that SMTP can deliver to (RFC 5321: a path of 256 with its angle brackets). */
const MAX_LENGTH = 254;

/**
 * What HTML's `<input type=email>` takes; domains with other letters come as punycode. Checked before it is lower-cased:
 * only ASCII passes, so that no other letter can turn into one of another user's address (the Kelvin sign lower-cases to "k").
 */
export const emailAddress = text(1, MAX_LENGTH)
  .regex(z.regexes.html5Email, 'must be an email address')
  .toLowerCase()
  .meta({ format: 'email', maxLength: MAX_LENGTH });
