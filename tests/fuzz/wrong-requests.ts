import type { Random } from '@shop/test-servers';
import type { Operation } from './operations';
import { type FormBody, type RequestParts, replaceAt } from './request';
import { type KnownValues, validValue } from './valid-values';
import { type ExpectedError, wrongFields, wrongFormFields, wrongParameters } from './wrong-fields';

export interface WrongRequest {
  what: string;
  makeParts: () => RequestParts;
  expected: ExpectedError;
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

/** A request that matches the operation's declaration. */
export function validRequest(
  operation: Operation,
  random: Random,
  known: KnownValues,
  useForm = random.chance(0.5),
): RequestParts {
  const parts: RequestParts = { params: {}, query: {}, headers: {}, body: undefined };
  for (const { name, in: place, required, schema } of operation.parameters) {
    // A cursor comes from a response.
    if (name === 'cursor' || (!required && !random.chance(0.4))) continue;
    // An empty path parameter would give a different path.
    const value = String(validValue(schema, name, random, known)) || 'x';
    if (place === 'path') parts.params[name] = encodeURIComponent(value);
    else if (place === 'query') parts.query[name] = [value];
    else parts.headers[name] = value;
  }
  orderBounds(parts.query);
  const { json, form, bodyRequired } = operation;
  if (form && (useForm || !json)) parts.body = validForm(operation, random, known);
  else if (json && (bodyRequired || random.chance(0.5))) {
    parts.body = { kind: 'json', value: validValue(json, '', random, known) };
  }
  return parts;
}

/** min_… must not exceed max_…, which is not in the schema. */
function orderBounds(query: RequestParts['query']): void {
  for (const [name, low] of Object.entries(query)) {
    const high = query[name.replace(/^min_/, 'max_')];
    if (!name.startsWith('min_') || !high || Number(low[0]) <= Number(high[0])) continue;
    query[name.replace(/^min_/, 'max_')] = low;
    query[name] = high;
  }
}

function validForm({ form }: Operation, random: Random, known: KnownValues): FormBody {
  const value = validValue({ ...form, type: 'object' }, '', random, known) as Record<string, unknown>;
  const properties = form?.properties ?? {};
  const isFile = (name: string) => properties[name]?.format === 'binary';
  const fields = Object.entries(value).filter(([name, given]) => given !== null && !isFile(name));
  const field = Object.keys(value).find(isFile);
  return {
    kind: 'form',
    fields: Object.fromEntries(fields.map(([name, given]) => [name, [String(given)]])),
    file: field === undefined ? undefined : { field, name: 'dot.png', type: 'image/png', bytes: PNG },
  };
}

/** All requests to the operation with exactly one mistake. */
export function wrongRequests(operation: Operation, random: Random, known: KnownValues): WrongRequest[] {
  const valid = (useForm: boolean) => validRequest(operation, random, known, useForm);
  const found: WrongRequest[] = [];
  for (const parameter of operation.parameters) {
    for (const { what, name, values, expected } of wrongParameters(parameter)) {
      const makeParts = () => {
        const parts = valid(false);
        const [value = ''] = values;
        if (parameter.in === 'path') parts.params[name] = encodeURIComponent(value);
        else if (parameter.in === 'query') parts.query[name] = values;
        else parts.headers[name] = value;
        return parts;
      };
      found.push({ what: `${parameter.in} ${name}: ${what}`, makeParts, expected });
    }
  }
  const { json, form, bodyRequired } = operation;
  if (json) {
    const body = { kind: 'json' as const, value: completeValue(operation, random, known) };
    for (const { what, at, value, expected } of wrongFields(json, body.value, bodyRequired)) {
      const makeParts = () => {
        const changed = replaceAt(body.value, at, value);
        return { ...valid(false), body: changed === undefined ? undefined : { ...body, value: changed } };
      };
      found.push({ what: `body ${at.join('.')}: ${what}`, makeParts, expected });
    }
  }
  if (form) {
    for (const { what, name, values, expected } of wrongFormFields(form)) {
      const makeParts = () => {
        const parts = valid(true);
        const body = parts.body as FormBody;
        const fields = { ...body.fields, [name]: values };
        const file = body.file?.field === name ? undefined : body.file;
        return { ...parts, body: { ...body, fields, file } };
      };
      found.push({ what: `form ${name}: ${what}`, makeParts, expected });
    }
  }
  return found;
}

/** A JSON body with all fields, so that each can be made wrong. */
function completeValue({ json = {} }: Operation, random: Random, known: KnownValues): unknown {
  const { properties = {} } = json;
  return validValue({ ...json, required: Object.keys(properties) }, '', random, known);
}
