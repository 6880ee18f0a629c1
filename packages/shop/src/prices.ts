import { checkInOrder, failWith } from '@shop/core/http';
import { z } from 'zod';
import { centsFromNumber, MAX_CENTS } from './money';

const MAX_AMOUNT = Number(MAX_CENTS) / 100;
const AMOUNT = 'must be a number with at most 2 decimals';
const amountSchema = { type: 'number', minimum: 0, maximum: MAX_AMOUNT } as const;

/** A price in JSON: a number with at most two decimals. In code it is integer cents (bigint). */
export const price = z
  .number({ error: ({ input }) => (typeof input === 'number' ? undefined : AMOUNT) })
  .min(0, { abort: true })
  .max(MAX_AMOUNT, { abort: true })
  .refine((value) => centsFromNumber(value) !== undefined, failWith('invalid_format', AMOUNT))
  .transform((value) => centsFromNumber(value) ?? 0n)
  .meta({ override: amountSchema });

/** A price in a path, query or form, in plain decimal notation. */
export const priceString = z
  .string(AMOUNT)
  .check(
    checkInOrder(
      [(value) => /^-?\d+(\.\d+)?$/.test(value), 'invalid_type', AMOUNT],
      [(value) => !value.startsWith('-'), 'too_small', 'must be at least 0'],
      [(value) => Number(value) <= MAX_AMOUNT, 'too_big', `must be at most ${MAX_AMOUNT}`],
      [(value) => /^\d+(\.\d{1,2})?$/.test(value), 'invalid_format', AMOUNT],
    ),
  )
  .transform((value) => {
    const [whole = '0', fraction = ''] = value.split('.');
    return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'));
  })
  .meta({ override: amountSchema });

/** An amount of money in a response. */
export const amount = z.number().min(0);
