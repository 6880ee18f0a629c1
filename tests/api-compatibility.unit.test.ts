import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import { type ApiDocument, findBreaks, mayBreak } from './support/api-breaks';

/** The API against that of the last release: see docs/openapi/README.md. */

const folder = path.join(repoRoot, 'docs/openapi/releases');
const json = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

const releases = readdirSync(folder).filter((file) => /^\d.*\.json$/.test(file));
const released: ApiDocument = json(path.join(folder, releases[0] ?? ''));
const current: ApiDocument = json(path.join(repoRoot, 'nginx/html/openapi.json'));
const next: { version: string; breaks: string[] } = json(path.join(folder, 'next.json'));

test('the document of one release is kept, and the breaks since are those that next.json lists', () => {
  expect(releases).toHaveLength(1);
  expect(findBreaks(released, current)).toEqual(next.breaks);
});

test('the next version may have these breaks, and is the version of a release', () => {
  const lastVersion = path.basename(releases[0] ?? '', '.json');
  const { version } = json(path.join(repoRoot, 'package.json'));
  expect(next.breaks.length === 0 || mayBreak(lastVersion, next.version)).toBe(true);
  expect([lastVersion, next.version]).toContain(version);
});

test.each([
  ['0.2.0', '0.3.0', true],
  ['0.2.0', '1.0.0', true],
  ['1.4.2', '2.0.0', true],
  ['0.2.0', '0.2.1', false],
  ['1.4.2', '1.5.0', false],
  ['1.4.2', '1.4.3', false],
])('from %s, a release %s with a break: %s', (from, to, allowed) => {
  expect(mayBreak(from, to)).toBe(allowed);
});

const example = {
  paths: {
    '/things/{id}': {
      put: {
        security: [] as object[],
        parameters: [
          { in: 'path', name: 'id', required: true, schema: { type: 'integer', minimum: 1 } },
          { in: 'query', name: 'sort', required: false, schema: { type: 'string', enum: ['name', 'price'] } },
        ],
        requestBody: {
          required: false,
          content: {
            'application/json': { schema: { $ref: '#/components/schemas/Change' } },
            'text/plain': {},
          } as Record<string, object>,
        },
        responses: {
          200: {
            headers: { ETag: {} } as object,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } as object,
          },
          404: {},
        } as Record<string, { headers?: object; content?: object }>,
      },
    },
  },
  components: {
    schemas: {
      Change: {
        type: 'object',
        properties: {
          name: { type: 'string', maxLength: 10 } as Record<string, unknown>,
          price: { type: 'number' },
          tags: { type: 'array', items: { type: 'string' } },
        } as Record<string, Record<string, unknown>>,
        required: [] as string[],
        additionalProperties: false,
      },
      Thing: {
        type: 'object',
        properties: { name: { type: 'string' }, note: { type: 'string' } } as Record<string, Record<string, unknown>>,
        required: ['name'],
      },
    },
  },
};

type Example = typeof example;

function breaksAfter(change: (one: Example) => unknown): string[] {
  const changed = structuredClone(example);
  change(changed);
  return findBreaks(example as unknown as ApiDocument, changed as unknown as ApiDocument);
}

const put = ({ paths }: Example) => paths['/things/{id}'].put;
const input = ({ components }: Example) => components.schemas.Change;
const output = ({ components }: Example) => components.schemas.Thing;
const sort = (one: Example) => put(one).parameters[1] as { required: boolean; schema: Record<string, unknown> };

test.each<[string, (one: Example) => unknown, string]>([
  ['a removed path', (one) => Reflect.deleteProperty(one.paths, '/things/{id}'), 'removed'],
  ['a login', (one) => put(one).security.push({ bearer: [] }), 'needs an access token'],
  ['a removed parameter', (one) => put(one).parameters.pop(), 'query parameter sort: removed'],
  ['a required parameter', (one) => Object.assign(sort(one), { required: true }), 'query parameter sort: required'],
  ['a removed value', (one) => Object.assign(sort(one).schema, { enum: ['name'] }), 'sort: no "price"'],
  ['a required body', (one) => Object.assign(put(one).requestBody, { required: true }), 'the body: required'],
  ['a removed body type', (one) => delete put(one).requestBody.content['text/plain'], 'body text/plain: removed'],
  ['a removed input field', (one) => delete input(one).properties.name, 'name removed'],
  ['a required input field', (one) => input(one).required.push('name'), 'name required'],
  [
    'a narrower type',
    (one) => Object.assign(input(one).properties.price ?? {}, { type: 'integer' }),
    'price: no number',
  ],
  ['a lower limit', (one) => Object.assign(input(one).properties.name ?? {}, { maxLength: 5 }), 'name: maxLength'],
  ['a new limit', (one) => Object.assign(input(one).properties.name ?? {}, { minLength: 1 }), 'name: minLength'],
  ['a pattern', (one) => Object.assign(input(one).properties.name ?? {}, { pattern: '^a' }), 'name: pattern'],
  ['a list of values', (one) => Object.assign(input(one).properties.name ?? {}, { enum: ['a'] }), 'only some values'],
  [
    'a narrower item',
    (one) => Object.assign(input(one).properties.tags ?? {}, { items: { type: 'integer' } }),
    'tags[]',
  ],
  ['a removed response', (one) => delete put(one).responses[200], 'response 200: removed'],
  ['a removed header', (one) => Object.assign(put(one).responses[200] ?? {}, { headers: {} }), 'header ETag: removed'],
  ['a removed output type', (one) => Object.assign(put(one).responses[200] ?? {}, { content: {} }), 'json: removed'],
  ['a removed output field', (one) => delete output(one).properties.note, 'note removed'],
  ['an optional output field', (one) => output(one).required.pop(), 'name may be absent'],
  [
    'a wider output',
    (one) => Object.assign(output(one).properties.name ?? {}, { type: ['string', 'null'] }),
    'may be null',
  ],
])('%s is a break', (_, change, message) => {
  expect(breaksAfter(change)).toEqual([expect.stringContaining(message)]);
});

test.each<[string, (one: Example) => unknown]>([
  ['nothing', () => undefined],
  ['an optional input field', (one) => Object.assign(input(one).properties, { more: { type: 'string' } })],
  ['an optional parameter', (one) => put(one).parameters.push({ ...sort(one), name: 'more' } as never)],
  ['a value of a parameter', (one) => Object.assign(sort(one).schema, { enum: ['name', 'price', 'age'] })],
  [
    'null as input',
    (one) => Object.assign(input(one).properties, { name: { anyOf: [{ type: 'string' }, { type: 'null' }] } }),
  ],
  ['a higher limit', (one) => Object.assign(input(one).properties.name ?? {}, { maxLength: 20 })],
  ['an output field', (one) => Object.assign(output(one).properties, { more: { type: 'string' } })],
  ['an error', (one) => Object.assign(put(one).responses, { 409: {} })],
])('adding %s is no break', (_, change) => {
  expect(breaksAfter(change)).toEqual([]);
});
