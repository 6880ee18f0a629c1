import { defineError } from './app-error';

const wholeBody = { field: { in: 'body', path: '', code: 'invalid_format' } } as const;

export const invalidRequest = defineError(
  'invalid',
  'invalid_request',
  'The request does not fit the schema.',
  wholeBody,
);
export const malformedRequest = defineError('invalid', 'malformed_request', 'The request cannot be read.', wholeBody);
export const invalidJson = defineError('invalid', 'invalid_json', 'The body is not valid JSON in UTF-8.', wholeBody);
export const unauthenticated = defineError(
  'unauthenticated',
  'unauthenticated',
  'An access token is required: Authorization: Bearer <token>.',
);
export const forbidden = defineError('forbidden', 'forbidden', 'You may not do this.');
export const notFound = defineError('not_found', 'not_found', 'There is no such resource.');
export const methodNotAllowed = defineError(
  'method_not_allowed',
  'method_not_allowed',
  'This path does not support this method; see the Allow header.',
);
export const requestTimeout = defineError('timeout', 'request_timeout', 'The request was not complete in time.');
export const expectationFailed = defineError(
  'expectation_failed',
  'expectation_failed',
  'The only supported expectation is 100-continue.',
);
export const headersTooLarge = defineError(
  'headers_too_large',
  'headers_too_large',
  'The request headers are too large.',
);
export const payloadTooLarge = defineError('too_large', 'payload_too_large', 'The request body is too large.');
/** Only the gateway has this limit. */
export const uriTooLong = defineError(
  'uri_too_long',
  'uri_too_long',
  'The request line is longer than the gateway accepts.',
);
export const unsupportedMediaType = defineError(
  'unsupported_media_type',
  'unsupported_media_type',
  'This endpoint does not accept the media type of the body.',
);
export const outOfRange = defineError(
  'unprocessable',
  'out_of_range',
  'A value is too large or too long to be stored.',
);
export const rateLimited = defineError('rate_limited', 'rate_limited', 'Too many requests: slow down.');
export const databaseUnavailable = defineError(
  'unavailable',
  'database_unavailable',
  'The database cannot be reached. Try again.',
);
export const databaseBusy = defineError('unavailable', 'database_busy', 'The database is busy. Try again.');
export const queryTimeout = defineError(
  'unavailable',
  'query_timeout',
  'The query took too long and was stopped. Request less data: the same request would be stopped again.',
);
export const schemaMissing = defineError(
  'unavailable',
  'schema_missing',
  'The service is not set up yet: the operator must apply the database schema.',
);
/** Sent by the gateway if a service does not respond. */
export const upstreamUnavailable = defineError(
  'unavailable',
  'upstream_unavailable',
  'The service did not respond. A write may have taken effect: check before you repeat it.',
);
/** Only the gateway sends the next two errors. */
export const tooManyConnections = defineError(
  'rate_limited',
  'too_many_connections',
  'Too many requests from this IP address are still in progress.',
);
export const httpsRequired = defineError('forbidden', 'https_required', 'This API is served over https only.');
export const overloaded = defineError('unavailable', 'overloaded', 'The service is overloaded. Try again.');
export const storageUnavailable = defineError(
  'unavailable',
  'storage_unavailable',
  'The file cannot be stored or read at the moment. Try again.',
);
export const preconditionFailed = defineError(
  'precondition_failed',
  'precondition_failed',
  'The file does not meet the conditions of the request (If-Match, If-Unmodified-Since).',
);
export const rangeNotSatisfiable = defineError(
  'range_not_satisfiable',
  'range_not_satisfiable',
  'The file has no bytes in that range; see Content-Range.',
);
