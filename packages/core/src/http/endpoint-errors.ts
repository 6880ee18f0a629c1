import type { ErrorDefinition } from '../errors';
import {
  crossSiteRequest,
  databaseBusy,
  databaseUnavailable,
  expectationFailed,
  forbidden,
  headersTooLarge,
  httpsRequired,
  invalidJson,
  invalidRequest,
  malformedRequest,
  outOfRange,
  overloaded,
  payloadTooLarge,
  preconditionFailed,
  queryTimeout,
  rateLimited,
  requestTimeout,
  schemaMissing,
  tooManyConnections,
  unauthenticated,
  unsupportedMediaType,
  upstreamUnavailable,
  uriTooLong,
} from '../errors';
import type { Endpoint } from './endpoint';
import { knownError } from './problem';
import { readsBody } from './request-body';

/** Errors that any request can get, whatever its endpoint: from the HTTP server, the gateway or the database. */
export const ALWAYS_POSSIBLE = [
  malformedRequest,
  requestTimeout,
  payloadTooLarge,
  uriTooLong,
  expectationFailed,
  headersTooLarge,
  rateLimited,
  tooManyConnections,
  overloaded,
  httpsRequired,
  databaseUnavailable,
  databaseBusy,
  queryTimeout,
  schemaMissing,
  upstreamUnavailable,
];

/**
 * Returns every error that a request to this endpoint can get: the listed ones, and those that follow from the rest of the
 * declaration. The OpenAPI document lists them. Outside production, any other error becomes a 500.
 */
export function errorsOf(endpoint: Endpoint): ErrorDefinition[] {
  const { access, method, params, query, headers, cookie, body, upload, ifMatch } = endpoint;
  const acceptsJson = readsBody(endpoint) && !upload?.required;
  return [
    ...(endpoint.errors ?? []),
    ...(params || query || headers || readsBody(endpoint) ? [invalidRequest] : []),
    ...(acceptsJson ? [invalidJson] : []),
    ...(access === 'public' ? [] : [unauthenticated]),
    ...(method !== 'get' && (cookie || access !== 'public') ? [crossSiteRequest] : []),
    ...(access === 'admin' ? [forbidden] : []),
    ...(readsBody(endpoint) ? [unsupportedMediaType] : []),
    ...(body ? [outOfRange] : []),
    ...(ifMatch ? [preconditionFailed] : []),
    ...ALWAYS_POSSIBLE,
  ];
}

/** Replaces an error that the endpoint does not declare with a 500, which fails the test that caused it. */
export function undeclaredErrorCheck(endpoint: Endpoint): (error: unknown) => unknown {
  const codes = new Set(errorsOf(endpoint).map(({ code }) => code));
  return (error) => {
    const known = knownError(error);
    if (!known || codes.has(known.code)) return error;
    return new Error(`${endpoint.method} ${endpoint.path} does not declare the error ${known.code}`, { cause: error });
  };
}
