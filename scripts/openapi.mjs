/**
 * Writes nginx/html/openapi.json and .gz, the document of all six services for /openapi.json through Nginx, and
 * packages/shop/src/docs-pages.json, the pages that every service has at /docs. And from the document's examples, a purchase
 * as a Postman collection and as an .http file.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const { renderDocs } = require('@shop/docs');
const { serviceNames } = require('@shop/shop');
const { openApiDocument } = require('@shop/core/http');
const { buildService } = require('@shop/core/service');
const { httpFile, postmanCollection } = require('@shop/journey');

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
const document = openApiDocument('Shop', endpoints);
const asJson = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** A line per operation and component. Indented JSON is twice as long. */
function linePerEntry(value, depth) {
  if (depth === 0 || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}:${linePerEntry(part, depth - 1)}`);
  return `{\n${entries.join(',\n')}\n}`;
}

for (const [file, text] of [
  ['nginx/html/openapi.json', `${linePerEntry(document, 3)}\n`],
  ['packages/shop/src/docs-pages.json', asJson(renderDocs(errors))],
  ['docs/openapi/shop.postman_collection.json', asJson(postmanCollection(document))],
  ['docs/openapi/shop.http', httpFile(document)],
]) {
  writeFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), text);
  console.log(`wrote ${file}`);
}

// Not written if only the compressor is another one: each version of zlib has its own result.
const plain = readFileSync(fileURLToPath(new URL('../nginx/html/openapi.json', import.meta.url)));
const compressed = fileURLToPath(new URL('../nginx/html/openapi.json.gz', import.meta.url));
if (!existsSync(compressed) || !gunzipSync(readFileSync(compressed)).equals(plain)) {
  writeFileSync(compressed, gzipSync(plain, { level: 9 }));
  console.log('wrote nginx/html/openapi.json.gz');
}
