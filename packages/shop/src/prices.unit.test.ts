import { parseOptions, toFieldErrors } from '@shop/core/http';
import { z } from 'zod';
import { amount, price, priceString } from './prices';

const accepts = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success;

describe('prices', () => {
  it.each([
    ['0', 0n],
    ['12.5', 1250n],
    ['0.07', 7n],
    ['1e2', 10_000n],
    ['9999999999.99', 999_999_999_999n],
  ])('%s in JSON is exact', (json, cents) => {
    expect(price.parse(JSON.parse(json))).toBe(cents);
  });

  it.each([
    '-0.01',
    '0.30000000000000004',
    '0.001',
    '1e400',
    '10000000000',
    '9999999999.995',
    '"1"',
    'null',
    'true',
    '[1]',
    '1e-300',
  ])('%s in JSON is refused', (json) => {
    expect(accepts(price, JSON.parse(json))).toBe(false);
  });

  it.each([
    ['0', 0n],
    ['007', 700n],
    ['12.5', 1250n],
    ['9999999999.99', 999_999_999_999n],
  ])('%s in a query or form is exact', (value, cents) => {
    expect(priceString.parse(value)).toBe(cents);
  });

  it.each(['', '-1', '1.234', '1e3', '.5', '1.', '1,5', 'Infinity', '10000000000', '9'.repeat(30), ' 1'])(
    '%j in a query or form is refused',
    (value) => {
      expect(accepts(priceString, value)).toBe(false);
    },
  );
});

it.each<[value: object, expected: string]>([
  [{ price: '9.99' }, 'price | invalid_type | must be a number with at most 2 decimals'],
  [{ price: 9.999 }, 'price | invalid_format | must be a number with at most 2 decimals'],
  [{ price: -0.001 }, 'price | too_small | must be at least 0'],
  [{ price: 1e300 }, 'price | too_big | must be at most 9999999999.99'],
  [{ amount: 'x' }, 'amount | invalid_type | must be a number with at most 2 decimals'],
  [{ amount: '-1' }, 'amount | too_small | must be at least 0'],
  [{ amount: '9'.repeat(400) }, 'amount | too_big | must be at most 9999999999.99'],
])('%j gets one error', (value, expected) => {
  const schema = z.object({ price: price.optional(), amount: priceString.optional() });
  const { error } = schema.safeParse(value, parseOptions);
  const errors = toFieldErrors('body', error?.issues ?? []);
  expect(errors.map(({ path, code, message }) => `${path} | ${code} | ${message}`)).toEqual([expected]);
});

it('amounts in responses are numbers', () => {
  expect(accepts(amount, 9_999_999_999.99)).toBe(true);
  expect(accepts(amount, '1.00')).toBe(false);
});
