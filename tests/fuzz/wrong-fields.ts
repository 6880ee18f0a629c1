import type { Parameter, Schema } from './operations';

/** The expected field error. */
export interface ExpectedError {
  in: 'body' | 'query' | 'path' | 'header';
  path: string;
  code: string;
  /** The expected message. */
  message: RegExp;
}

/** A mistake in a body: set `value` at `at`, or remove the field if undefined. */
export interface WrongField {
  what: string;
  at: readonly (string | number)[];
  value: unknown;
  expected: ExpectedError;
}

/** A mistake in a query, path, header or form. With several values, the parameter is repeated. */
export interface WrongText {
  what: string;
  name: string;
  values: string[];
  expected: ExpectedError;
}

type At = readonly (string | number)[];

const INVISIBLE = '\u200b\u2060\u3164\u00ad\u202e\u0007\ufe0f\u{e0041}';
const WRONG_TYPES: [what: string, value: unknown][] = [
  ['null', null],
  ['a string', 'text'],
  ['a number as a string', '7'],
  ['a whole number', 5],
  ['a fraction', 1.5],
  ['a boolean', true],
  ['an array', []],
  ['an object', {}],
];

const error = (at: At, code: string, message: RegExp): ExpectedError => ({
  in: 'body',
  path: at.join('.'),
  code,
  message,
});

/** Every single mistake in a JSON body that the schema rules out, applied to the `valid` body. */
export function wrongFields(schema: Schema, valid: unknown, required: boolean): WrongField[] {
  const absent: WrongField[] = required
    ? [{ what: 'no body', at: [], value: undefined, expected: error([], 'required', /^a JSON body is required$/) }]
    : [];
  return [...absent, ...wrongValues(schema, valid, [])];
}

function wrongValues(schema: Schema, valid: unknown, at: At): WrongField[] {
  const nullable = schema.anyOf?.some(({ type }) => type === 'null') ?? false;
  const plain = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  const wrong = (what: string, value: unknown, code: string, message: RegExp, below: At = []): WrongField => ({
    what,
    at,
    value,
    expected: error([...at, ...below], code, message),
  });
  const types = WRONG_TYPES.filter(([, value]) => !(nullable && value === null) && !hasType(plain, value)).map(
    ([what, value]) => wrong(what, value, 'invalid_type', typeMessage(plain)),
  );
  return [...types, ...wrongSizes(plain, wrong), ...wrongInside(plain, valid, at, wrong)];
}

function hasType({ type, enum: values }: Schema, value: unknown): boolean {
  if (value === null) return false;
  if (values) return typeof value === typeof values[0];
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** Every number that is not whole is an amount of money. */
function typeMessage({ type, enum: values }: Schema): RegExp {
  if (values) return new RegExp(`^must be one of: ${values.join(', ')}$`);
  const names: Record<string, string> = {
    string: 'a string',
    integer: 'a whole number',
    number: 'a number with at most 2 decimals',
    boolean: 'true or false',
    array: 'an array',
    object: 'a JSON object',
  };
  return new RegExp(`^must be ${names[type ?? '']}$`);
}

type MakeWrong = (what: string, value: unknown, code: string, message: RegExp, below?: At) => WrongField;

function wrongSizes(schema: Schema, wrong: MakeWrong): WrongField[] {
  const { type, enum: values, minimum, maximum, minLength, maxLength, format } = schema;
  const found: WrongField[] = [];
  if (values) found.push(wrong('another word', 'nonsense', 'invalid_value', typeMessage(schema)));
  else if (type === 'string') {
    const visible = format === undefined || format === 'email';
    if (minLength) found.push(wrong('an empty string', '', 'too_small', /^must (not be empty|have )/));
    if (minLength && visible) {
      found.push(wrong('only blanks', ' \t\u00a0 ', 'too_small', /^must not be empty$/));
      found.push(wrong('only invisible characters', INVISIBLE, 'invalid_format', /^must contain a visible character$/));
    }
    if (maxLength !== undefined) {
      found.push(wrong('a long text', 'é'.repeat(maxLength + 1), 'too_big', /^must have at most \d+ characters$/));
    }
    found.push(wrong('a NUL', 'a\0b', 'invalid_format', /without a NUL$/));
    found.push(wrong('half a character', 'a\ud83d', 'invalid_format', /^must be valid Unicode/));
    if (format === 'email') found.push(wrong('no email address', 'x@', 'invalid_format', /^must be an email address$/));
  }
  if (minimum !== undefined) {
    found.push(wrong('too small a number', minimum - 1, 'too_small', new RegExp(`^must be at least ${minimum}$`)));
    found.push(wrong('a very small number', -1e300, 'too_small', new RegExp(`^must be at least ${minimum}$`)));
  }
  if (maximum !== undefined) {
    const message = new RegExp(`^must be at most ${maximum}$`);
    found.push(wrong('too big a number', maximum + 1, 'too_big', message));
    found.push(wrong('a very big number', 1e300, 'too_big', message));
  }
  if (type === 'number') found.push(wrong('three decimals', 9.999, 'invalid_format', typeMessage(schema)));
  return found;
}

function wrongInside(schema: Schema, valid: unknown, at: At, wrong: MakeWrong): WrongField[] {
  const { properties, required = [], additionalProperties, minProperties, items, minItems, maxItems } = schema;
  if (items) {
    const [first, ...rest] = valid as unknown[];
    const found = wrongValues(items, first, [...at, 0]);
    if (minItems) found.push(wrong('an empty array', [], 'too_small', /^must have at least \d+ items?$/));
    if (maxItems !== undefined) {
      const many = Array.from({ length: maxItems + 1 }, () => first);
      found.push(wrong('a long array', many, 'too_big', /^must have at most \d+ items?$/));
    }
    const last = [first, ...rest, null];
    found.push(wrong('null as its last item', last, 'invalid_type', /^must be a/, [last.length - 1]));
    return found;
  }
  if (!properties) return [];
  const fields = valid as Record<string, unknown>;
  const found = Object.entries(properties).flatMap(([name, property]) => {
    const inside = wrongValues(property, fields[name], [...at, name]);
    if (!required.includes(name)) return inside;
    const expected = error([...at, name], 'required', /^is required$/);
    return [{ what: 'absent', at: [...at, name], value: undefined, expected }, ...inside];
  });
  if (additionalProperties === false) {
    for (const name of ['unexpected', '__proto__']) {
      const expected = error([...at, name], 'unknown_field', /^is not a known field$/);
      found.push({ what: 'one more field', at: [...at, name], value: 1, expected });
    }
  }
  if (minProperties) {
    found.push(wrong('an empty object', {}, 'too_small', /^must have at least one field$/));
    const only = { unexpected: 1 };
    found.push(wrong('only an unknown field', only, 'unknown_field', /^is not a known field$/, ['unexpected']));
  }
  return found;
}

/** Every possible single mistake in a parameter. */
export const wrongParameters = ({ name, in: place, required, schema }: Parameter): WrongText[] =>
  wrongTexts(name, schema, { place, required });

/** Every possible single mistake in the text fields of a form. */
export const wrongFormFields = (form: Schema): WrongText[] =>
  Object.entries(form.properties ?? {}).flatMap(([name, schema]) => {
    const required = form.required?.includes(name) ?? false;
    if (schema.format !== 'binary') return wrongTexts(name, schema, { place: 'body', required });
    if (!required) return [];
    const expected: ExpectedError = { in: 'body', path: name, code: 'required', message: /^is required/ };
    return [{ what: 'absent', name, values: [], expected }];
  });

function wrongTexts(
  name: string,
  schema: Schema,
  { place, required }: { place: ExpectedError['in']; required: boolean },
): WrongText[] {
  const plain = schema.anyOf?.find(({ type }) => type !== 'null') ?? schema;
  const { type, enum: values, const: only, minimum, maximum, minLength, maxLength, pattern } = plain;
  const found: WrongText[] = [];
  const add = (what: string, given: string | string[], code: string, message: RegExp) =>
    found.push({ what, name, values: [given].flat(), expected: { in: place, path: name, code, message } });
  if (required && place !== 'path') add('absent', [], 'required', /^is required$/);
  if (place === 'query' || place === 'body') {
    add('given twice', ['1', '2'], 'invalid_type', /^must be given only once$/);
  }
  if (type === 'integer' || type === 'number') {
    for (const text of [
      'text',
      '1e3',
      '0x1',
      '1,5',
      'null',
      '١',
      ...(place === 'path' ? [] : ['%00']),
      ...(type === 'integer' ? ['1.5'] : []),
    ]) {
      add(JSON.stringify(text), text, 'invalid_type', typeMessage(plain));
    }
    if (minimum !== undefined) add('too small', String(minimum - 1), 'too_small', /^must be at least \d+$/);
    if (maximum !== undefined) {
      add('too big', String(BigInt(Math.floor(maximum)) + 1n), 'too_big', /^must be at most [\d.]+$/);
      add('very big', '9'.repeat(40), 'too_big', /^must be at most [\d.]+$/);
    }
    if (type === 'number') add('three decimals', '9.999', 'invalid_format', typeMessage(plain));
  } else if (values) {
    add('another word', 'nonsense', 'invalid_value', typeMessage(plain));
  } else if (only !== undefined) {
    add('another word', 'nonsense', 'invalid_value', new RegExp(`^must be "${only}"$`));
  } else {
    if (maxLength !== undefined)
      add('long', 'x'.repeat(maxLength + 1), 'too_big', /^must have at most \d+ characters$/);
    if (minLength && place === 'body') add('empty', '', 'too_small', /^must not be empty$/);
    const message = pattern === undefined ? /without a NUL$/ : /^must be /;
    if (place === 'query' || place === 'body') add('a NUL', 'a\0b', 'invalid_format', message);
  }
  return found;
}
