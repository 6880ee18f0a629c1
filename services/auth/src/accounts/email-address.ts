import { text } from '@shop/core';
import { z } from 'zod';

/**
 * Checked before it is lower-cased: only ASCII passes, so no foreign letter can turn into somebody else's address
 * (the Kelvin sign lower-cases to "k").
 */
export const emailAddress = text(1, 255)
  .regex(z.regexes.email, 'must be an email address')
  .toLowerCase()
  .meta({ format: 'email', maxLength: 255 });
