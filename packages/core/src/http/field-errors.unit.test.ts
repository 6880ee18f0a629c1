import { z } from 'zod';
import { parseOptions, type RequestPart, toFieldErrors } from './field-errors';

const item = z.strictObject({ quantity: z.int().min(1).max(9) });
const anything = z.strictObject({
  name: z.string().min(2).max(3).optional(),
  count: z.int().optional(),
  ratio: z.number().gt(0).lt(1).optional(),
  step: z.number().multipleOf(5).optional(),
  flag: z.boolean().optional(),
  color: z.enum(['red', 'green']).optional(),
  kind: z.literal('box').optional(),
  either: z.union([z.string(), z.number()]).optional(),
  one: z.union([item, z.strictObject({ weight: z.number() })]).optional(),
  items: z.array(item).min(1).max(2).optional(),
  labels: z.record(z.string().max(2), z.string()).optional(),
  site: z.url().optional(),
  odd: z
    .number()
    .refine((value) => value % 2 === 1)
    .optional(),
});

const errorsOf = (value: unknown, part: RequestPart = 'body', schema: z.ZodType = anything) => {
  const { error } = schema.safeParse(value, parseOptions);
  return toFieldErrors(part, error?.issues ?? []).map(({ in: place, path, code, message }) =>
    [place, path, code, message].join(' | '),
  );
};

it.each<[value: object, expected: string]>([
  [{ name: 5 }, 'name | invalid_type | must be a string'],
  [{ name: null }, 'name | invalid_type | must be a string'],
  [{ name: '' }, 'name | too_small | must have at least 2 characters'],
  [{ name: 'long' }, 'name | too_big | must have at most 3 characters'],
  [{ count: '1' }, 'count | invalid_type | must be a whole number'],
  [{ count: 1.5 }, 'count | invalid_type | must be a whole number'],
  [{ count: Infinity }, 'count | too_big | must be a finite number'],
  [{ count: -Infinity }, 'count | too_small | must be a finite number'],
  [{ ratio: '1' }, 'ratio | invalid_type | must be a number'],
  [{ ratio: 0 }, 'ratio | too_small | must be more than 0'],
  [{ ratio: 1 }, 'ratio | too_big | must be less than 1'],
  [{ step: 7 }, 'step | invalid_format | must be a multiple of 5'],
  [{ flag: 'true' }, 'flag | invalid_type | must be true or false'],
  [{ color: 'blue' }, 'color | invalid_value | must be one of: red, green'],
  [{ color: 5 }, 'color | invalid_type | must be one of: red, green'],
  [{ color: null }, 'color | invalid_type | must be one of: red, green'],
  [{ kind: 'bag' }, 'kind | invalid_value | must be "box"'],
  [{ either: true }, 'either | invalid_type | must be a string, or must be a number'],
  [{ one: { quantity: 0 } }, 'one.quantity | too_small | must be at least 1'],
  [{ items: {} }, 'items | invalid_type | must be an array'],
  [{ items: [] }, 'items | too_small | must have at least 1 item'],
  [{ items: Array(3).fill({ quantity: 1 }) }, 'items | too_big | must have at most 2 items'],
  [{ items: [{ quantity: 1 }, 5] }, 'items.1 | invalid_type | must be a JSON object'],
  [{ items: [{}] }, 'items.0.quantity | required | is required'],
  [{ items: [{ quantity: 2 ** 53 }] }, 'items.0.quantity | too_big | must be at most 9'],
  [{ items: [{ quantity: 1, color: 1 }] }, 'items.0.color | unknown_field | is not a known field'],
  [{ labels: { long: 'x' } }, 'labels.long | unknown_field | has a value that is not allowed'],
  [{ labels: { ok: 1 } }, 'labels.ok | invalid_type | must be a string'],
  [{ labels: [] }, 'labels | invalid_type | must be a JSON object'],
  [{ site: 'x' }, 'site | invalid_format | must be a valid url'],
  [{ odd: 2 }, 'odd | invalid_value | has a value that is not allowed'],
])('%j gets one error', (value, expected) => {
  expect(errorsOf(value)).toEqual([`body | ${expected}`]);
});

it('reports what a whole body must be', () => {
  expect(errorsOf(undefined)).toEqual(['body |  | required | a JSON body is required']);
  for (const value of [null, [], 'x', 5, true]) {
    expect(errorsOf(value)).toEqual(['body |  | invalid_type | must be a JSON object']);
  }
});

it('reports "is required" only for absent fields', () => {
  const schema = z.object({ a: z.string(), b: z.enum(['x']), c: z.union([z.string(), z.number()]), d: item });
  expect(errorsOf({}, 'body', schema)).toEqual(
    ['a', 'b', 'c', 'd'].map((name) => `body | ${name} | required | is required`),
  );
  expect(errorsOf({ a: null, b: null, c: null, d: null }, 'body', schema).join()).not.toContain('required');
});

it('reports that a parameter or form field may be given only once', () => {
  expect(errorsOf({ name: ['a', 'b'] }, 'query')).toEqual(['query | name | invalid_type | must be given only once']);
  expect(errorsOf({ color: ['red', 'red'] }, 'query')).toEqual([
    'query | color | invalid_type | must be given only once',
  ]);
  expect(errorsOf({ name: ['a', 'b'] }, 'form')).toEqual(['body | name | invalid_type | must be given only once']);
  expect(errorsOf({ name: ['a', 'b'] }, 'body')).toEqual(['body | name | invalid_type | must be a string']);
});
