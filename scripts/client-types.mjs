// client-types.mjs [--check]
//
// Writes packages/client/src/operations.ts, the types of the client, from nginx/html/openapi.json. With --check, writes nothing, and
// its exit code is 1 if the file is not current. docs/decisions/0044-client.md says why this is no library.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const document = JSON.parse(readFileSync(new URL('../nginx/html/openapi.json', import.meta.url), 'utf8'));
const file = fileURLToPath(new URL('../packages/client/src/operations.ts', import.meta.url));

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

const resolve = (part) =>
  part?.$ref
    ? part.$ref
        .slice(2)
        .split('/')
        .reduce((node, key) => node[key], document)
    : part;
const literal = (value) => (typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value));
const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name));
const union = (types) => [...new Set(types)].join(' | ') || 'never';
const docComment = (text) => (text ? `/** ${text.replaceAll('*/', '* /').replace(/\s*\n\s*/g, ' ')} */\n` : '');

/** @returns a TypeScript type for a JSON Schema */
function typeOf(schema = {}) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  if ('const' in schema) return literal(schema.const);
  if (schema.enum) return union(schema.enum.map(literal));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return union(choices.map(typeOf));
  if (schema.allOf) return schema.allOf.map((part) => `(${typeOf(part)})`).join(' & ');
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => typeOf({ ...schema, type })));
  switch (schema.type) {
    case 'string':
      return schema.format === 'binary' || schema.contentMediaType ? 'Blob' : 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
    case 'null':
      return schema.type;
    case 'array':
      return `readonly (${typeOf(schema.items)})[]`;
    case 'object':
      return objectType(schema);
    default:
      return schema.properties ? objectType(schema) : 'unknown';
  }
}

function objectType({ properties, required = [], additionalProperties }) {
  if (!properties)
    return `Record<string, ${typeof additionalProperties === 'object' ? typeOf(additionalProperties) : 'unknown'}>`;
  const fields = Object.entries(properties).map(
    ([name, field]) =>
      `${docComment(field.description)}${key(name)}${required.includes(name) ? '' : '?'}: ${typeOf(field)};\n`,
  );
  return `{\n${fields.join('')}}`;
}

/** In a query, everything is text: 'true' and 'false' are taken as booleans, a list as an array. */
const queryType = (schema) => (schema.enum?.join() === 'true,false' ? "boolean | 'true' | 'false'" : typeOf(schema));

function parameterGroup(parameters, place) {
  const chosen = parameters.filter((one) => one.in === place);
  if (chosen.length === 0) return '';
  const isRequired = place === 'path' || chosen.some((one) => one.required);
  const fields = chosen.map(
    ({ name, description, required, schema }) =>
      `${docComment(description)}${key(name)}${place === 'path' || required ? `: ${queryType(schema)}` : `?: ${queryType(schema)} | undefined`};\n`,
  );
  return `${place}${isRequired ? '' : '?'}: {\n${fields.join('')}};\n`;
}

function bodyType({ requestBody }) {
  const body = resolve(requestBody);
  if (!body) return '';
  const types = Object.values(body.content).map(({ schema }) => typeOf(schema));
  return `body${body.required ? '' : '?'}: ${union(types)};\n`;
}

const responseEntries = ({ responses }) => Object.entries(responses).map(([status, one]) => [status, resolve(one)]);

function responseType(operation) {
  const types = responseEntries(operation)
    .filter(([status]) => /^2/.test(status) && status !== '206')
    .map(([, { content }]) => {
      if (!content) return 'undefined';
      const json = Object.entries(content).find(([type]) => type.includes('json'));
      return json ? typeOf(json[1].schema) : 'Blob';
    });
  return `response: ${union(types)};\n`;
}

/** Every `code` that a schema of a problem allows. */
function codesIn(schema) {
  const { allOf, anyOf, oneOf, properties } = schema.$ref === '#/components/schemas/Problem' ? {} : resolve(schema);
  const own = properties?.code?.enum ?? (properties?.code?.const ? [properties.code.const] : []);
  return [...own, ...[...(allOf ?? []), ...(anyOf ?? []), ...(oneOf ?? [])].flatMap(codesIn)];
}

const codesOf = (operation) => [
  ...new Set(
    responseEntries(operation).flatMap(([, { content }]) => {
      const problem = content?.['application/problem+json'];
      return problem ? codesIn(problem.schema) : [];
    }),
  ),
];

const described = Object.entries(document.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => item[method]).map((method) => {
    const operation = item[method];
    const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
    return { name: `${method.toUpperCase()} ${path}`, operation, parameters, codes: codesOf(operation) };
  }),
);
const namesWhere = (condition) => described.filter(condition).map(({ name }) => name);
const allCodes = [...new Set(described.flatMap(({ codes }) => codes))].sort();
const commonCodes = allCodes.filter((code) => described.every(({ codes }) => codes.includes(code)));

const declaration = ({ name, operation, parameters, codes }) => {
  const own = allCodes.filter((code) => codes.includes(code) && !commonCodes.includes(code));
  return [
    `${docComment(operation.summary)}${literal(name)}: {\n`,
    parameterGroup(parameters, 'path'),
    parameterGroup(parameters, 'query'),
    bodyType(operation),
    responseType(operation),
    `code: ${union([...(commonCodes.length > 0 ? ['CommonCode'] : []), ...own.map(literal)])};\n};\n`,
  ].join('');
};

const schemas = Object.entries(document.components.schemas)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, schema]) => {
    const declared = name === 'Problem' ? withCodes(schema) : schema;
    return `${docComment(schema.description)}export type ${name} = ${typeOf(declared)};\n`;
  });

/** The codes are declared with the operations. */
function withCodes({ properties, ...rest }) {
  return { ...rest, properties: { ...properties, code: { ...properties.code, enum: undefined, $ref: '/ErrorCode' } } };
}

const set = (name, entries, comment) =>
  `${docComment(comment)}export const ${name}: ReadonlySet<string> = new Set([\n${entries.map((one) => `${literal(one)},\n`).join('')}]);\n`;

const text = [
  '// Generated by npm run openapi from nginx/html/openapi.json.\n',
  ...schemas,
  `/** Every code that the API documents. */\nexport type ErrorCode = ${union(allCodes.map(literal))};\n`,
  `/** The codes that every operation can answer with. */\ntype CommonCode = ${union(commonCodes.map(literal))};\n`,
  `/** What each operation takes and gives. */\nexport interface Operations {\n${described.map(declaration).join('')}}\n`,
  set(
    'acceptsKey',
    namesWhere(({ parameters }) => parameters.some((one) => one.name.toLowerCase() === 'idempotency-key')),
    'Operations with an Idempotency-Key, which makes it safe to send them twice.',
  ),
  set(
    'needsNoToken',
    namesWhere(({ operation }) => operation.security?.length === 0),
    'Operations whose 401 is not about an access token.',
  ),
].join('\n');
const biome = fileURLToPath(new URL('../node_modules/.bin/biome', import.meta.url));
const formatted = execFileSync(biome, ['format', `--stdin-file-path=${file}`], { input: text, encoding: 'utf8' });

if (!process.argv.includes('--check')) {
  writeFileSync(file, formatted);
  console.log(`wrote ${file}`);
} else if (readFileSync(file, 'utf8') !== formatted) {
  console.error(`${file} is not current: npm run openapi`);
  process.exitCode = 1;
}
