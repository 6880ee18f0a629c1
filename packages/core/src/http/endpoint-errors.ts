import type { ErrorDefinition } from '../errors';
import {
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
  payloadTooLarge,
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
import { crossSiteRequest } from './authenticate';
import type { Endpoint } from './endpoint';
import { knownError } from './problem';
import { readsBody } from './request-body';

/** What any request can get, from the HTTP server, the gateway or the database behind it, whatever it asks for. */
export const ALWAYS_POSSIBLE = [
  malformedRequest,
  requestTimeout,
  payloadTooLarge,
  uriTooLong,
  expectationFailed,
  headersTooLarge,
  rateLimited,
  tooManyConnections,
  httpsRequired,
  databaseUnavailable,
  databaseBusy,
  queryTimeout,
  schemaMissing,
  upstreamUnavailable,
];

/**
 * Every error that a request to this endpoint can get: those that it lists, and those that follow from the rest of its
 * declaration. The OpenAPI document lists them, and outside production no other is sent.
 */
export function errorsOf(endpoint: Endpoint): ErrorDefinition[] {
  const { access, method, params, query, headers, body, upload } = endpoint;
  const takesJson = readsBody(endpoint) && !upload?.required;
  return [
    ...(endpoint.errors ?? []),
    ...(params || query || headers || readsBody(endpoint) ? [invalidRequest] : []),
    ...(takesJson ? [invalidJson] : []),
    ...(access === 'public' ? [] : [unauthenticated]),
    ...(access === 'public' || method === 'get' ? [] : [crossSiteRequest]),
    ...(access === 'admin' ? [forbidden] : []),
    ...(readsBody(endpoint) ? [unsupportedMediaType] : []),
    ...(body ? [outOfRange] : []),
    ...ALWAYS_POSSIBLE,
  ];
}

/** @returns an error in place of one that the endpoint does not declare: a 500, which fails the test that provoked it */
export function undeclaredErrorCheck(endpoint: Endpoint): (error: unknown) => unknown {
  const codes = new Set(errorsOf(endpoint).map(({ code }) => code));
  return (error) => {
    const known = knownError(error);
    if (!known || codes.has(known.code)) return error;
    return new Error(`${endpoint.method} ${endpoint.path} does not declare the error ${known.code}`, { cause: error });
  };
}
