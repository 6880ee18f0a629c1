import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import SwaggerParser from '@apidevtools/swagger-parser';
import { type DocsPage, openApiDocument } from '@shop/core/http';
import { renderDocs } from '@shop/docs';
import { type OpenApi, operationsOf } from '@shop/fuzz';
import { httpFile, postmanCollection } from '@shop/journey';
import { repoRoot } from '@shop/test-servers';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { type StartedService, startAll } from './support/all-services';
import { aUser } from './support/factories';
import { bodiesOf, type Documented, headersOf, operationsIn, parametersOf, schemasOf } from './support/openapi-parts';

/** The document that clients generate their code from, and the pages that explain it. */

const textOf = (file: string) => readFileSync(path.join(repoRoot, file), 'utf8');
const pages: DocsPage[] = JSON.parse(textOf('packages/shop/src/docs-pages.json'));
const committed: OpenApi = JSON.parse(textOf('nginx/html/openapi.json'));
let services: StartedService[];

beforeAll(async () => {
  services = await startAll();
});
afterAll(() => Promise.all(services.map(({ app }) => app.close())));

const asJson = (document: object): object => JSON.parse(JSON.stringify(document));
const validate = (document: object) => SwaggerParser.validate(JSON.parse(JSON.stringify(document)));

test('the document in Nginx matches the services (otherwise: npm run openapi)', () => {
  const endpoints = services.flatMap((service) => service.endpoints);
  expect(committed).toEqual(asJson(openApiDocument('Shop', endpoints)));
});

test('the compressed document is the same (otherwise: npm run openapi)', () => {
  const [plain, compressed] = ['', '.gz'].map((end) =>
    readFileSync(path.join(repoRoot, `nginx/html/openapi.json${end}`)),
  );
  expect(gunzipSync(compressed ?? '').equals(plain ?? Buffer.of())).toBe(true);
});

test('the Postman collection and the .http file match the document (otherwise: npm run openapi)', () => {
  const read = (file: string) => readFileSync(path.join(repoRoot, 'docs/openapi', file), 'utf8');
  const described = committed as unknown as Parameters<typeof httpFile>[0];
  expect(JSON.parse(read('shop.postman_collection.json'))).toEqual(asJson(postmanCollection(described)));
  expect(read('shop.http')).toBe(httpFile(described));
});

test('the document and that of each service are valid OpenAPI 3.1', async () => {
  await validate(committed);
  for (const { app } of services) await validate((await app.http.get('/openapi.json').expect(200)).body);
});

test('the validator refuses an invalid document', async () => {
  await expect(validate({ ...committed, paths: { '/x': { get: { responses: { 200: {} } } } } })).rejects.toThrow();
});

const document = committed as unknown as Documented;

function operationNamed(operationId: string) {
  const found = operationsIn(document).find(({ operation }) => operation.operationId === operationId);
  if (!found) throw new Error(`no operation ${operationId}`);
  return found;
}

/** What a client author reads first in their editor. */
const isExplained = (text: unknown) => typeof text === 'string' && text.trim() !== '';

test('every operation has a name of its own and a tag that is described', () => {
  const tags = new Map((document.tags ?? []).map(({ name, description }) => [name, description]));
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ at: `${method} ${path}`, ...operation })),
  );
  const named = services.flatMap((service) => service.endpoints).filter(({ operationId }) => operationId);
  expect(named.length).toBe(operations.length);
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const { at, operationId, tags: [tag = ''] = [] } of operations) {
    expect([at, operationId]).toEqual([at, expect.stringMatching(/^[a-z]+([A-Z][a-z]+)*$/)]);
    expect([at, isExplained(tags.get(tag))]).toEqual([at, true]);
  }
});

test('every parameter, property and header has a description', () => {
  const parts = [...parametersOf(document), ...schemasOf(document), ...headersOf(document)];
  expect(parts.length).toBeGreaterThan(400);
  expect(parts.filter(({ description }) => !isExplained(description)).map(({ at }) => at)).toEqual([]);
});

test('every body has a named schema, and every body and parameter an example that its schema accepts', () => {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  addFormats(ajv);
  ajv.addVocabulary(Object.keys(document));
  ajv.addSchema(document as object, 'openapi');
  const problems: string[] = [];
  for (const { at, pointer, named, examples } of [...bodiesOf(document), ...parametersOf(document)]) {
    if (!named) problems.push(`${at}: the schema has no name`);
    if (examples.length === 0) problems.push(`${at}: no example`);
    const accepts = ajv.compile({ $ref: `openapi#${pointer}` });
    for (const example of examples) {
      if (!accepts(example)) problems.push(`${at}: ${ajv.errorsText(accepts.errors)} in ${JSON.stringify(example)}`);
    }
  }
  expect(problems).toEqual([]);
});

test('the examples can be sent as they are', async () => {
  const send = async (operationId: string, token?: string, query = '') => {
    const service = services.find(({ endpoints }) =>
      endpoints.some((endpoint) => endpoint.operationId === operationId),
    );
    const { method, path: at, operation } = operationNamed(operationId);
    const { example } = operation.requestBody?.content['application/json'] ?? {};
    return fetch(`${service?.app.url}${at}${query}`, {
      method: method.toUpperCase(),
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: example === undefined ? null : JSON.stringify(example),
    });
  };
  const registered = await send('register');
  expect(registered.status).toBe(201);
  const { token } = (await registered.json()) as { token: string };
  for (const [operationId, status] of [
    ['logIn', 200],
    ['requestPasswordReset', 200],
    ['createStore', 201],
    ['createProduct', 201],
    ['createAddress', 201],
    ['changePassword', 204],
  ] as const) {
    expect([operationId, (await send(operationId, token)).status]).toEqual([operationId, status]);
  }
});

test.each([
  'listCatalogProducts',
  'listProducts',
  'listStores',
  'listAddresses',
  'listFiles',
  'listTransactions',
  'listCategories',
  'listSessions',
])('%s accepts the example of each of its query parameters', async (operationId) => {
  const service = services.find(({ endpoints }) => endpoints.some((endpoint) => endpoint.operationId === operationId));
  const { path: at } = operationNamed(operationId);
  const { token } = await aUser();
  for (const { name, place, examples, operation: of } of parametersOf(document)) {
    if (place !== 'query' || of !== `get ${at}`) continue;
    const query = new URLSearchParams({ [name]: String(examples[0]) });
    const response = await fetch(`${service?.app.url}${at}?${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    // Only the shop can make a cursor.
    expect([name, response.status]).toEqual([name, name === 'cursor' ? 400 : 200]);
  }
});

test('standard validators accept every price from 0.00 to 100.00, and refuse what is no price', () => {
  const ajv = new Ajv2020({ strict: true, validateFormats: true });
  addFormats(ajv);
  const accepts = ajv.compile(document.components.schemas.NewProduct?.properties?.price as object);
  const refused = Array.from({ length: 10_001 }, (_, cents) => cents / 100).filter((price) => !accepts(price));
  expect(refused).toEqual([]);
  expect([accepts(-0.01), accepts('1.00'), accepts(1e10)]).toEqual([false, false, false]);
});

test('numbers have no rule that only JavaScript needs', () => {
  expect(JSON.stringify(committed)).not.toMatch(/"multipleOf"|9007199254740991/);
  expect(schemasOf(document).filter(({ schema }) => schema.type !== 'string' && schema.pattern)).toEqual([]);
});

test('every operation lists its error codes, including those that every request can get', () => {
  for (const { name, responses } of operationsOf(committed)) {
    const codes = [...responses].flatMap(([status, response]) => (status < 400 ? [] : response.codes));
    expect([name, codes]).toEqual([
      name,
      expect.arrayContaining([
        'malformed_request',
        'request_timeout',
        'payload_too_large',
        'uri_too_long',
        'expectation_failed',
        'headers_too_large',
        'rate_limited',
        'database_busy',
        'database_unavailable',
        'upstream_unavailable',
      ]),
    ]);
    for (const [status, response] of responses)
      expect([status, response.codes.length > 0]).toEqual([status, status >= 400]);
  }
});

describe('the pages below /docs', () => {
  const paths = new Set(pages.map((page) => page.path));
  const withoutPage = (codes: string[]) => codes.filter((code) => !paths.has(`/docs/errors/${code}`));

  test('match their Markdown and the errors of the services (otherwise: npm run openapi)', () => {
    expect(pages).toEqual(renderDocs(services.flatMap(({ app }) => app.errors)));
  });

  test('explain every error code of the document', () => {
    const codes = operationsOf(committed).flatMap(({ responses }) =>
      [...responses.values()].flatMap((response) => response.codes),
    );
    expect(codes.length).toBeGreaterThan(500);
    expect(withoutPage(codes)).toEqual([]);
    expect(withoutPage(['no_such_code'])).toEqual(['no_such_code']);
  });

  test('explain every error that the code defines, also those that only probes respond with', () => {
    const files = ['packages/core/src', ...services.map(({ name }) => `services/${name}/src`)].flatMap((folder) =>
      readdirSync(path.join(repoRoot, folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file}`,
      ),
    );
    const codes = files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .flatMap((file) => [...textOf(file).matchAll(/^export const \w+ = defineError\(\s*'\w+',\s*'(\w+)'/gm)])
      .map(([, code = '']) => code);
    expect(codes.length).toBeGreaterThan(60);
    expect(withoutPage(codes)).toEqual([]);
  });

  test('explain every error of the gateway', () => {
    const [, map = ''] = /^map \$own_status \$own_code \{(.*?)^\}/ms.exec(
      textOf('nginx/templates/default.conf.template'),
    ) ?? [''];
    const codes = [...map.matchAll(/^ {2}\w+ (\w+);$/gm)].map(([, code = '']) => code);
    expect(codes).toContain('upstream_unavailable');
    expect(withoutPage([...codes, 'rate_limited', 'too_many_connections'])).toEqual([]);
  });

  test('link only to what each service has', async () => {
    const links = new Set(pages.flatMap(({ html }) => [...html.matchAll(/href="([^"]+)"/g)].map(([, to = '']) => to)));
    expect(links.size).toBeGreaterThan(70);
    for (const { app } of services) {
      for (const link of links) expect([link, (await app.http.get(link)).status]).toEqual([link, 200]);
    }
    for (const { path: page, html } of pages) {
      for (const [, to = '', anchor] of html.matchAll(/href="([^"#]*)#([^"]+)"/g)) {
        const target = pages.find((one) => one.path === (to || page));
        expect([page, anchor, target?.html.includes(`id="${anchor}"`)]).toEqual([page, anchor, true]);
      }
    }
  });

  test('are in English with a title, a heading, and nothing that a strict policy forbids', () => {
    for (const { path: page, title, html } of pages) {
      expect([page, title.length > 2, html.match(/<h1/g)?.length]).toEqual([page, true, 1]);
      expect([page, html.match(/<script|<style|<iframe| style=| on\w+=|javascript:|="https?:/)]).toEqual([page, null]);
    }
  });
});
