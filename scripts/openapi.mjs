/**
 * Writes nginx/html/openapi.json, the document of all six services for /openapi.json through Nginx, and
 * packages/shop/src/docs-pages.json, the pages that every service has at /docs.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { renderDocs } = require('@shop/docs');
const { serviceNames } = require('@shop/shop');
const { openApiDocument } = require('@shop/core/http');
const { buildService } = require('@shop/core/service');

/** The minimum settings to declare the endpoints. Nothing connects. */
const settings = {
  DB_HOST: '127.0.0.1',
  DB_USER: 'nobody',
  DB_NAME: 'none',
  JWT_SECRET: 'unused',
  UPLOAD_PATH: '.data/uploads',
};

const endpoints = [];
const errors = [];
for (const name of serviceNames) {
  const definition = require(`@shop/${name}`)[`${name}Service`];
  const running = buildService(definition, { ...settings, [definition.portKey]: '1' });
  endpoints.push(...running.endpoints);
  errors.push(...running.errors);
  await running.close();
}
write('nginx/html/openapi.json', openApiDocument('Shop', endpoints));
write('packages/shop/src/docs-pages.json', renderDocs(errors));

function write(name, content) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  console.log(`wrote ${file}`);
}
