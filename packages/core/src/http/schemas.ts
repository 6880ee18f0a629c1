import { z } from 'zod';
import { MAX_TOTAL } from '../db';
import type { FieldErrorCode } from '../errors';
import { characterCount, hasVisibleCharacter } from '../text';
import { MAX_CURSOR_LENGTH } from './cursor';

const MAX_ID = Number.MAX_SAFE_INTEGER;

/** A NUL or half a surrogate pair cannot be stored in the database and read back unchanged. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

/** Options for `refine`: the error that the client gets. */
export const failWith = (code: FieldErrorCode, message: string) => ({ message, params: { code } });

type Rule<T> = [holds: (value: T) => boolean, code: FieldErrorCode, message: string];

/**
 * A check that reports only the first violated rule of a value. `refine` with `abort` would also skip the rules about several
 * fields of the enclosing object.
 */
export const checkInOrder =
  <T>(...rules: Rule<T>[]) =>
  ({ value, issues }: z.core.ParsePayload<T>): void => {
    const broken = rules.find(([holds]) => !holds(value));
    if (broken) issues.push({ code: 'custom', input: value, params: { code: broken[1] }, message: broken[2] });
  };

export const storable: Rule<string> = [isStorable, 'invalid_format', 'must be valid Unicode without a NUL'];

/** Trimmed text of `min` to `max` characters (code points). If `min` is over 0, at least one must be visible. */
export const text = (min: number, max: number) =>
  z
    .string()
    .trim()
    .check(
      checkInOrder(
        storable,
        [
          (value) => min === 0 || value === '' || hasVisibleCharacter(value),
          'invalid_format',
          'must contain a visible character',
        ],
        [
          (value) => characterCount(value) >= min,
          'too_small',
          min === 1 ? 'must not be empty' : `must have at least ${min} characters`,
        ],
        [(value) => characterCount(value) <= max, 'too_big', `must have at most ${max} characters`],
      ),
    )
    .meta({ minLength: min, maxLength: max });

export const nameText = text(1, 255);

/** An id in a JSON body: a positive integer up to 2^53 - 1. */
export const id = z
  .int()
  .min(1)
  .max(MAX_ID)
  .meta({ examples: [1] });

/** The body of a partial update: at least one of the fields. */
export const changesOf = <T extends z.ZodRawShape>(fields: T) =>
  z
    .strictObject(fields)
    .partial()
    .refine((changes) => Object.keys(changes).length > 0, {
      ...failWith('too_small', 'must have at least one field'),
      // If there is an unknown field, report only that.
      when: ({ issues }) => issues.length === 0,
    })
    .meta({ minProperties: 1 });

/** A whole number as text, in a path, query or form. */
export const integerString = (min: number, max: number) =>
  z
    .string('must be a whole number')
    .check(
      checkInOrder(
        [(value) => /^-?\d+$/.test(value), 'invalid_type', 'must be a whole number'],
        [(value) => Number(value) >= min, 'too_small', `must be at least ${min}`],
        [(value) => Number(value) <= max, 'too_big', `must be at most ${max}`],
      ),
    )
    .transform(Number)
    .meta({ override: { type: 'integer', minimum: min, ...(max === MAX_ID ? {} : { maximum: max }) } });

export const idString = integerString(1, MAX_ID).meta({ examples: [1] });
export const idParams = z.object({ id: idString.meta({ description: 'The id of the resource' }) });

/**
 * A rule for a query with two bounds: `min` must not be over `max`. Reported together with other errors in the query.
 *
 * @example
 * z.object({ min_price: priceString.optional(), max_price: priceString.optional() })
 *   .refine(...inOrder('min_price', 'max_price'));
 */
export const inOrder = <Min extends string, Max extends string>(
  min: Min,
  max: Max,
): [
  rule: (query: { [key in Min | Max]?: unknown }) => boolean,
  options: ReturnType<typeof failWith> & { path: string[]; when: () => boolean },
] => [
  ({ [min]: low, [max]: high }) => typeof low !== 'bigint' || typeof high !== 'bigint' || low <= high,
  { ...failWith('too_big', `must not be over ${max}`), path: [min], when: () => true },
];

/** RFC 3339 in UTC with milliseconds, as `Date.toISOString` writes it. */
export const timestamp = z.iso.datetime().meta({ examples: ['2026-01-31T09:00:00.000Z'] });

export const searchText = text(0, 255);

const EXAMPLE_CURSOR = '7cMlZqzZ1PsZ0s6ODfSGMzA6NDI6MjAyNi0wMS0zMVQwOTowMDowMC4wMDBa';

/** The query parameters of every list. */
export const pageQuery = {
  page: integerString(1, MAX_ID)
    .optional()
    .meta({
      description: `Which page of the list, from 1. Default: 1. Pages by number end after ${MAX_TOTAL} items`,
      examples: [1],
    }),
  limit: integerString(1, 100)
    .default(10)
    .meta({ description: 'Items on a page. Default: 10', examples: [10] }),
  cursor: z
    .string()
    .max(MAX_CURSOR_LENGTH)
    .regex(/^[\w-]+$/, { error: 'must be the next_cursor of a list' })
    .optional()
    .meta({
      description:
        'The `next_cursor` of the page before: continues after the last item of that page, whatever was added or deleted since. ' +
        'Not together with `page`. It belongs to its path, filters, sort and user; `limit` may differ',
      examples: [EXAMPLE_CURSOR],
    }),
};

/**
 * Lets clients choose the order of a list: by one of the columns, ascending, or descending with `-` in front.
 * @param newest the column that sorts by time; descending is the default
 * @param relevance what the order by relevance means: adds it to the choice, the best first
 */
export const sortBy = <const N extends string>(newest: N, others: readonly N[], relevance: string) =>
  z
    .enum([...[newest, ...others].flatMap((name): string[] => [name, `-${name}`]), 'relevance'])
    .transform((value) => ({
      by: value.replace(/^-/, '') as N | 'relevance',
      descending: value.startsWith('-') || value === 'relevance',
    }))
    .prefault(`-${newest}`)
    .meta({
      description:
        'Descending with `-` in front. Items with equal values are in the order of their ids, in the same direction. ' +
        `\`relevance\`: ${relevance}`,
      examples: [`-${newest}`],
    });

/** Up to `max` ids as text, separated by commas. The result is sorted and has no duplicates. */
export const idListString = (max: number) =>
  z
    .string()
    .check(
      checkInOrder(
        [
          (list) => list.split(',').every((item) => idString.safeParse(item).success),
          'invalid_format',
          'must be ids, separated by commas',
        ],
        [(list) => list.split(',').length <= max, 'too_big', `must have at most ${max} ids`],
      ),
    )
    .transform((list) => [...new Set(list.split(',').map(Number))].sort((a, b) => a - b))
    .meta({ override: { type: 'string', pattern: '^\\d+(,\\d+)*$' } });

const pagination = z
  .object({
    page: z
      .int()
      .optional()
      .meta({ description: 'This page. Absent if there was a cursor', examples: [1] }),
    limit: z.int().meta({ description: 'The most items that a page has', examples: [10] }),
    total: z
      .int()
      .max(MAX_TOTAL)
      .optional()
      .meta({ description: 'The items on all pages. Absent if there was a cursor', examples: [1] }),
    total_capped: z
      .literal(true)
      .optional()
      .meta({ description: `There are more than ${MAX_TOTAL}; absent if \`total\` is exact` }),
    next_cursor: z
      .string()
      .nullable()
      .meta({
        description: 'Sent as `cursor`, it returns the next page. null on the last page',
        examples: [EXAMPLE_CURSOR],
      }),
  })
  .meta({
    id: 'Pagination',
    description: 'Where this page is in the list',
    examples: [{ page: 1, limit: 10, total: 1, next_cursor: null }],
  });

/** The envelope of every list. In the document its name is that of the item with `List` behind. */
export const listOf = <T extends z.ZodType>(item: T) => {
  const list = z.object({
    data: z.array(item).meta({ description: 'The items of this page' }),
    pagination,
  });
  const name = item.meta()?.id;
  return name === undefined ? list : list.meta({ id: `${name}List`, description: 'One page of a list' });
};

export const createdId = z
  .object({ id: id.meta({ description: 'The id of what was created' }) })
  .meta({ id: 'CreatedId', description: 'Names what was created' });

/** A body without fields, such as a form that has only a file. */
export const noFields = z.strictObject({});
