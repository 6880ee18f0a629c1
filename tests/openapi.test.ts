import { readFileSync } from 'node:fs';
import path from 'node:path';
import SwaggerParser from '@apidevtools/swagger-parser';
import { openApiDocument } from '@shop/core/http';
import { type OpenApi, operationsOf } from '@shop/fuzz';
import { repoRoot } from '@shop/test-servers';
import { type StartedService, startAll } from './support/all-services';

/** The document that clients generate their code from. */

const committed: OpenApi = JSON.parse(readFileSync(path.join(repoRoot, 'nginx/html/openapi.json'), 'utf8'));
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

test('the document and that of each service are valid OpenAPI 3.1', async () => {
  await validate(committed);
  for (const { app } of services) await validate((await app.http.get('/openapi.json').expect(200)).body);
});

test('the validator refuses an invalid document', async () => {
  await expect(validate({ ...committed, paths: { '/x': { get: { responses: { 200: {} } } } } })).rejects.toThrow();
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
