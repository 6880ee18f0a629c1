/** Writes nginx/html/openapi.json: the document of all six services, for /docs and /openapi.json through Nginx. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { serviceNames } = require('@shop/shop');
const { openApiDocument } = require('@shop/core/http');
const { buildService } = require('@shop/core/service');

const file = fileURLToPath(new URL('../nginx/html/openapi.json', import.meta.url));

/** The minimum settings to declare the endpoints. Nothing connects. */
const settings = {
  DB_HOST: '127.0.0.1',
  DB_USER: 'nobody',
  DB_NAME: 'none',
  JWT_SECRET: 'unused',
  UPLOAD_PATH: '.data/uploads',
};

const endpoints = [];
for (const name of serviceNames) {
  const definition = require(`@shop/${name}`)[`${name}Service`];
  const running = buildService(definition, { ...settings, [definition.portKey]: '1' });
  endpoints.push(...running.endpoints);
  await running.close();
}
const text = `${JSON.stringify(openApiDocument('Shop', endpoints), null, 2)}\n`;

writeFileSync(file, text);
console.log(`wrote ${file}`);
