import type { openApiDocument as create } from './openapi';

/** Loads its code on the first call: most replicas have no reader of their document. */
export const openApiDocument: typeof create = (title, endpoints) => {
  const openapi = require('./openapi') as typeof import('./openapi');
  return openapi.openApiDocument(title, endpoints);
};
