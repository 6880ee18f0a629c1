import { defineError } from './app-error';

/** Errors that any endpoint can respond with. */

const wholeBody = { in: 'body', path: '', code: 'invalid_format' } as const;

export const invalidRequest = defineError('invalid', 'invalid_request', 'The request does not fit the schema.', {
  when: 'A field of the body, a query parameter, a header or a part of the path is missing, unknown, or has a wrong type or value.',
  action:
    'Read `errors`: it names every wrong field, with a code of its own and a message. Correct them all and send the request again. The [reference](/docs/reference) has the schema of each request.',
  field: wholeBody,
  example: {
    errors: [
      { in: 'body', path: 'price', code: 'too_small', message: 'must be at least 0' },
      { in: 'body', path: 'nmae', code: 'unknown_field', message: 'is not a known field' },
    ],
  },
});
export const pageTooDeep = defineError(
  'invalid',
  'page_too_deep',
  'Pages by number end after 10,000 items. Use the cursor: `pagination.next_cursor` of the page before, as `cursor`.',
  {
    when: '`page` and `limit` ask for a page that begins beyond the first 10,000 items, however long the list is.',
    action:
      'Continue with `pagination.next_cursor`, or narrow the list with its filters. See [lists](/docs/pagination).',
    field: { in: 'query', path: 'page', code: 'too_big' },
  },
);
export const malformedRequest = defineError('invalid', 'malformed_request', 'The request cannot be read.', {
  when: 'The request is not well-formed HTTP, its path is not validly encoded, or a multipart body breaks the rules of multipart.',
  action:
    'Correct the program that writes the request: `detail` says what is wrong. HTTP libraries do not write such requests, so look at what your code builds by hand, such as a `Content-Type` without its boundary.',
  field: wholeBody,
});
export const invalidJson = defineError('invalid', 'invalid_json', 'The body is not valid JSON in UTF-8.', {
  when: 'The body is sent as `application/json` and is not JSON, or not encoded in UTF-8.',
  action: 'Write the body with a JSON library instead of building the text by hand.',
  field: wholeBody,
});
export const unauthenticated = defineError(
  'unauthenticated',
  'unauthenticated',
  'An access token is required: Authorization: Bearer <token>.',
  {
    when: 'The endpoint needs an access token, and the request has none, or one that expired or is invalid. The header `WWW-Authenticate` says which: without `error` the token is missing, otherwise `error_description` is `The access token expired` or `The access token is invalid`. Logging out, a new password or a new role make a token invalid before it expires.',
    action:
      'Get a new access token with your refresh token, and send the request again with it, once. If the refresh fails, too, log in again. See [authentication](/docs/authentication).',
  },
);
export const forbidden = defineError('forbidden', 'forbidden', 'You may not do this.', {
  when: 'Your token is valid, but the resource belongs to another user, or the request needs an admin or another role in the order. A resource that does not exist is [`not_found`](/docs/errors/not_found) instead.',
  action:
    'Do not repeat the request: it would fail again. Check the id, and whether you are logged in to the right account.',
});
/** A browser sends cookies with requests from other sites, too. */
export const crossSiteRequest = defineError(
  'forbidden',
  'cross_site_request',
  'A request from another site may not use a cookie to change something.',
  {
    when: 'A page of another site sent a request that changes something, and the token was in a cookie. This protects users from cross-site request forgery.',
    action:
      'Send the token in the header `Authorization`. If the page is part of your shop, its operator can add its origin to `CORS_ORIGINS`.',
  },
);
export const notFound = defineError('not_found', 'not_found', 'There is no such resource.', {
  when: 'The path is unknown, or it names a resource that does not exist or was deleted. Paths are case-sensitive and have no trailing slash.',
  action: 'Compare the path with the [reference](/docs/reference). If the path is right, the resource is gone.',
});
export const methodNotAllowed = defineError(
  'method_not_allowed',
  'method_not_allowed',
  'This path does not support this method; see the Allow header.',
  {
    when: 'The path exists, but not with this method.',
    action: 'Use one of the methods in the response header `Allow`.',
  },
);
export const requestTimeout = defineError('timeout', 'request_timeout', 'The request was not complete in time.', {
  when: 'The headers or the body of the request arrived too slowly.',
  action: 'Send the request again. On a slow connection, send smaller files.',
});
export const expectationFailed = defineError(
  'expectation_failed',
  'expectation_failed',
  'The only supported expectation is 100-continue.',
  {
    when: 'The request has a header `Expect` with another value than `100-continue`.',
    action: 'Leave the header out.',
  },
);
export const headersTooLarge = defineError(
  'headers_too_large',
  'headers_too_large',
  'The request headers are too large.',
  {
    when: 'One header is longer than 9 KB, or all together are too long.',
    action: 'Send fewer or shorter headers. The reason is often a browser that has collected many cookies.',
  },
);
export const payloadTooLarge = defineError('too_large', 'payload_too_large', 'The request body is too large.', {
  when: 'A JSON body is larger than 100 KB, or a file larger than 5 MiB.',
  action: 'Send less: compress an image before you upload it.',
});
/** Only the gateway has this limit. */
export const uriTooLong = defineError(
  'uri_too_long',
  'uri_too_long',
  'The request line is longer than the gateway accepts.',
  {
    when: 'Method, path and query together are longer than 9 KB.',
    action: 'Shorten the query, for example by asking for fewer `ids` at a time.',
  },
);
export const unsupportedMediaType = defineError(
  'unsupported_media_type',
  'unsupported_media_type',
  'This endpoint does not accept the media type of the body.',
  {
    when: 'The header `Content-Type` is missing or names a type that the endpoint does not read, or an uploaded file is of a type that is not accepted. The type of a file follows from its content, not from its name.',
    action:
      'Send `Content-Type: application/json`, or `multipart/form-data` where the endpoint takes a file. Accepted files are JPEG, PNG, GIF and WebP, and for uploads also PDF and plain text.',
  },
);
export const outOfRange = defineError(
  'unprocessable',
  'out_of_range',
  'A value is too large or too long to be stored.',
  {
    when: 'A value fits the schema of the request and still does not fit into the database.',
    action: 'Send a smaller or shorter value.',
  },
);
export const rateLimited = defineError('rate_limited', 'rate_limited', 'Too many requests: slow down.', {
  when: 'Your IP address has sent more requests to one service than its [rate limit](/docs/rate-limits) allows.',
  action:
    'Wait for the number of seconds in `Retry-After`, then send the request again. The headers `RateLimit` and `RateLimit-Policy` of every response say how much is left, so that a program can slow down before.',
});
export const databaseUnavailable = defineError(
  'unavailable',
  'database_unavailable',
  'The database cannot be reached. Try again.',
  {
    when: 'The service has no connection to its database.',
    action:
      'Wait for the number of seconds in `Retry-After`, then send the request again. Repeat a request that creates something with the same [`Idempotency-Key`](/docs/idempotency): the first attempt may have taken effect.',
  },
);
export const databaseBusy = defineError('unavailable', 'database_busy', 'The database is busy. Try again.', {
  when: 'Other requests held the same rows for too long, or all connections to the database were in use.',
  action: 'Wait for the number of seconds in `Retry-After`, then send the request again. Nothing was changed.',
});
export const queryTimeout = defineError(
  'unavailable',
  'query_timeout',
  'The query took too long and was stopped. Request less data: the same request would be stopped again.',
  {
    when: 'A read needed more time than the service gives to one statement. The response has no `Retry-After`.',
    action: 'Request less data: narrow the filters, use a smaller `limit`, or a cursor instead of a deep page.',
  },
);
export const schemaMissing = defineError(
  'unavailable',
  'schema_missing',
  'The service is not set up yet: the operator must apply the database schema.',
  {
    when: 'The database has no tables yet, or not all of them.',
    action: 'Try again later. Operators: run `npm run migrate`.',
  },
);
/** Sent by the gateway if a service does not respond. */
export const upstreamUnavailable = defineError(
  'unavailable',
  'upstream_unavailable',
  'The service did not respond. A write may have taken effect: check before you repeat it.',
  {
    when: 'The gateway could not reach the service, or got no response from it in time.',
    action:
      'Send a read again. A write may have taken effect: repeat it with the same [`Idempotency-Key`](/docs/idempotency), or check the result first.',
  },
);
/** Only the gateway sends the next three errors. */
export const tooManyConnections = defineError(
  'rate_limited',
  'too_many_connections',
  'Too many requests from this IP address are still in progress.',
  {
    when: 'Your IP address has too many requests in progress at the same time.',
    action: 'Wait for responses before you send more requests. Send fewer in parallel.',
  },
);
export const httpsRequired = defineError('forbidden', 'https_required', 'This API is served over https only.', {
  when: 'The request came over plain http.',
  action:
    'Change the address in your program to `https://`. If the request had a token or a password, replace it: it could be read on the way.',
});
export const misdirectedRequest = defineError(
  'misdirected',
  'misdirected_request',
  'This server does not answer for that host.',
  {
    when: 'A connection that was opened for one host name was used for a request to another one.',
    action: 'Open a new connection for the host name in the address. Browsers do this by themselves.',
  },
);
export const overloaded = defineError('unavailable', 'overloaded', 'The service is overloaded. Try again.', {
  when: 'More requests arrive than the service can serve, so that this one would not get a response in time.',
  action: 'Wait for the number of seconds in `Retry-After`, then send the request again. Nothing was changed.',
});
export const storageUnavailable = defineError(
  'unavailable',
  'storage_unavailable',
  'The file cannot be stored or read at the moment. Try again.',
  {
    when: 'The storage of uploaded files does not respond, or is full.',
    action: 'Wait for the number of seconds in `Retry-After`, then send the request again.',
  },
);
export const preconditionFailed = defineError(
  'precondition_failed',
  'precondition_failed',
  'The resource has changed since: it does not meet the conditions of the request (If-Match, If-Unmodified-Since).',
  {
    when: 'The request has a condition, such as `If-Match` with an `ETag`, and the resource has changed since you read it. Nothing was changed.',
    action:
      'Read the resource again, apply your change to what it is now, and send the request with the new `ETag`. See [caching](/docs/caching).',
  },
);
export const rangeNotSatisfiable = defineError(
  'range_not_satisfiable',
  'range_not_satisfiable',
  'The file has no bytes in that range; see Content-Range.',
  {
    when: 'The header `Range` asks for bytes beyond the end of the file.',
    action: 'Read the size of the file from the response header `Content-Range`, and ask for bytes within it.',
  },
);
export const internalError = defineError('internal', 'internal_error', 'Something went wrong on our side.', {
  when: 'The service or the gateway has a bug. Its details are in the log of the service, not in the response.',
  action:
    'Report it to the operator with the `request_id`, by which they find the log lines of your request. Repeating the same request will probably fail again.',
});
