import type { z } from 'zod';
import { type FieldError, type FieldErrorCode, fieldErrorCodes } from '../errors';

/** The part of a request that a schema describes. A form is a body whose fields are all strings. */
export type RequestPart = FieldError['in'] | 'form';

type Issue = z.core.$ZodIssue;

const codes: Record<Issue['code'], FieldErrorCode> = {
  invalid_type: 'invalid_type',
  invalid_value: 'invalid_value',
  invalid_format: 'invalid_format',
  not_multiple_of: 'invalid_format',
  too_small: 'too_small',
  too_big: 'too_big',
  unrecognized_keys: 'unknown_field',
  invalid_key: 'unknown_field',
  invalid_element: 'invalid_value',
  invalid_union: 'invalid_type',
  custom: 'invalid_value',
};

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'a JSON object',
  record: 'a JSON object',
  null: 'null',
};

/** The unit in which the size of a value is counted. A number is compared by its value. */
const units: Record<string, string> = { string: 'character', array: 'item', object: 'field', file: 'byte' };

/** Zod's error map. A message completes a sentence that starts with the field. A schema's own takes precedence. */
function describeIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (isInfinite(issue)) return 'must be a finite number';
      return `must be ${isWholeNumber(issue) ? typeNames.int : (typeNames[issue.expected] ?? issue.expected)}`;
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${JSON.stringify(issue.values[0])}`
        : `must be one of: ${issue.values.join(', ')}`;
    case 'too_small':
      return describeBound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return describeBound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return 'is not a known field';
    case 'invalid_format':
      return `must be a valid ${issue.format}`;
    default:
      return 'has a value that is not allowed';
  }
}

function describeBound(origin: string, comparison: string, bound: number | bigint): string {
  const unit = units[origin];
  if (!unit) return `must be ${comparison} ${bound}`;
  if (unit === 'character' && comparison === 'at least' && bound === 1) return 'must not be empty';
  return `must have ${comparison} ${bound} ${unit}${Number(bound) === 1 ? '' : 's'}`;
}

/** z.int() first checks for any number, so its issue for a string would say "must be a number". */
function isWholeNumber({ inst }: z.core.$ZodRawIssue): boolean {
  const definition = inst?._zod.def;
  return definition !== undefined && 'format' in definition && definition.format === 'safeint';
}

/** JSON such as 1e400. */
const isInfinite = ({ input }: { readonly input?: unknown }): boolean => input === Infinity || input === -Infinity;

/** The `safeParse` options that `toFieldErrors` needs: without `reportInput`, absent and invalid values look the same. */
export const parseOptions = { error: describeIssue, reportInput: true } as const;

/** @param issues from a `safeParse` with `parseOptions` */
export function toFieldErrors(part: RequestPart, issues: readonly Issue[]): FieldError[] {
  const errors = issues.flatMap((issue) => fieldErrorsOf(part, issue));
  // One error for each field and code: the schema's own bound replaces the bound of z.int() (safe integers).
  return [...new Map(errors.map((error) => [`${error.code} ${error.path}`, error])).values()];
}

function fieldErrorsOf(part: RequestPart, issue: Issue, parent: readonly PropertyKey[] = []): FieldError[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => fieldError(part, [...path, key], 'unknown_field', issue.message));
  }
  if (issue.input === undefined && issue.code !== 'custom') {
    return [fieldError(part, path, 'required', path.length > 0 ? 'is required' : 'a JSON body is required')];
  }
  if (issue.code === 'invalid_union') {
    const closest = closestBranch(issue.errors);
    if (closest) return closest.flatMap((inner) => fieldErrorsOf(part, inner, path));
    const expected = new Set(issue.errors.flat().map(({ message }) => message));
    return [fieldError(part, path, 'invalid_type', [...expected].join(', or ') || issue.message)];
  }
  if (Array.isArray(issue.input) && (part === 'query' || part === 'form')) {
    return [fieldError(part, path, 'invalid_type', 'must be given only once')];
  }
  return [fieldError(part, path, codeOf(issue), issue.message)];
}

/** The union branch that was probably meant: it accepted the value's type and rejected something inside it. */
const closestBranch = (branches: readonly Issue[][]): Issue[] | undefined =>
  branches.find((issues) => issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'));

function codeOf(issue: Issue): FieldErrorCode {
  if (isInfinite(issue)) return issue.input === Infinity ? 'too_big' : 'too_small';
  if (issue.code === 'custom') return fieldErrorCodes.find((code) => code === issue.params?.code) ?? codes.custom;
  if (issue.code === 'invalid_value' && !issue.values.some((value) => typeof value === typeof issue.input)) {
    return 'invalid_type';
  }
  return codes[issue.code];
}

const fieldError = (
  part: RequestPart,
  path: readonly PropertyKey[],
  code: FieldErrorCode,
  message: string,
): FieldError => ({ in: part === 'form' ? 'body' : part, path: path.map(String).join('.'), code, message });
