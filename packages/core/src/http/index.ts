// First: it instruments node:http and Express.
import '../tracing';

export { createApp } from './create-app';
export { createAppServer } from './create-server';
export type { DocsPage } from './docs-layout';
export { accepted, created, type Endpoint, endpoint, noContent, ok, type ResponseCookie } from './endpoint';
export { parseOptions, toFieldErrors } from './field-errors';
export type { HttpConfig } from './http-config';
export { type ListQuery, listEndpoint, queryJson } from './list-endpoint';
export { respondToMalformed } from './malformed';
export { openApiDocument } from './openapi-document';
export { PROBES } from './probe-paths';
export { exampleProblem, statusOf } from './problem';
export * from './schemas';
export { sendFile } from './send-file';
