import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ErrorDefinition } from '../errors';
import {
  crossSiteRequest,
  forbidden,
  invalidJson,
  invalidRequest,
  notFound,
  preconditionFailed,
  unauthenticated,
  unsupportedMediaType,
} from '../errors';
import type { Endpoint } from './endpoint';
import { ALWAYS_POSSIBLE, errorsOf } from './endpoint-errors';
import { exampleProblem, statusOf } from './problem';

const SUCCESS_WORDS: Record<string, string> = {
  200: 'Done',
  201: 'Created; Location names it',
  202: 'Accepted',
  204: 'Done, no body',
};

const text = (description: string, ...examples: string[]) => ({
  description,
  schema: { type: 'string' as const, examples },
});

export const EXAMPLE_TAG = '"Qm5Zq0sWwcC9VbYJXr3uKg"';

/** Every header that a response can have because of its endpoint, once for all responses. */
export const responseHeaders = {
  'X-Request-Id': text(
    'The id of the request in the logs: that of the request header, or a new one',
    '0b8f7c1e-6d3a-4c55-9a51-3f1d2c9e7b42',
  ),
  RateLimit: text(
    'The rate limit of this client: tokens in the bucket, tokens left, seconds until it is full (draft-ietf-httpapi-ratelimit-headers-07)',
    'limit=20, remaining=19, reset=1',
  ),
  'RateLimit-Policy': text('The size of the bucket, and the seconds in which it fills', '20;w=2'),
  'Retry-After': {
    description: 'Seconds to wait before the next try. Absent if the same request would fail again',
    schema: { type: 'integer' as const, minimum: 1, examples: [1] },
  },
  'WWW-Authenticate': text('How to authenticate, and what is wrong with the token (RFC 6750)', 'Bearer realm="api"'),
  Location: text('The path of what was created', '/api/v1/stores/1'),
  Link: text(
    'The next, previous and first page (RFC 8288), relative to this one. The next page is by cursor. There is no previous one if there was a cursor',
    '</api/v1/stores?limit=10&page=1>; rel="first"',
  ),
  'X-Cache': {
    description:
      'Whether the response came from the cache: of the service, or for files of the gateway. BYPASS: the cache was not available',
    schema: { type: 'string' as const, enum: ['HIT', 'MISS', 'BYPASS'], examples: ['HIT'] },
  },
  'Idempotent-Replayed': {
    description: 'true: the first response to this Idempotency-Key, again. Otherwise absent',
    schema: { type: 'string' as const, enum: ['true'], examples: ['true'] },
  },
  'Set-Cookie': text(
    'The tokens, if they were requested or sent as cookies',
    'access_token=eyJhbGciOiJIUzI1NiJ9; Path=/; HttpOnly; SameSite=Strict',
  ),
  'Cache-Control': text('Whether and how long the response can be kept', 'no-store'),
  ETag: text('Identifies what the response shows, for If-None-Match and If-Match. It is a strong one', EXAMPLE_TAG),
  Vary: text('The request headers on which the response depends', 'Accept-Encoding'),
  'Last-Modified': text('When the file was stored', 'Sat, 31 Jan 2026 09:00:00 GMT'),
  'Accept-Ranges': text('The unit of ranges', 'bytes'),
  'Content-Range': text(
    'Which part of how many bytes this is; for 416, only how many bytes there are',
    'bytes 0-99/1234',
  ),
  'Content-Disposition': text('attachment: PDFs and texts are saved, not shown', 'attachment'),
};

type HeaderName = keyof typeof responseHeaders;

const EVERYWHERE: HeaderName[] = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'];

const headersNamed = (names: readonly HeaderName[]) => ({
  headers: Object.fromEntries(
    [...EVERYWHERE, ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  ),
});

/** All responses of an endpoint: those that it declares, those that follow from its declaration, and its errors. */
export function responsesOf(endpoint: Endpoint): ZodOpenApiResponsesObject {
  return { ...successes(endpoint), ...failures(endpoint), default: unexpectedError };
}

function successes(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, response] of Object.entries(endpoint.responses)) {
    if (response !== 'empty' && !(response instanceof z.ZodType)) {
      Object.assign(responses, fileResponses(response.binary));
      continue;
    }
    responses[status as '200'] = {
      description: SUCCESS_WORDS[status] ?? 'Done',
      ...headersNamed(headersOf(endpoint, status)),
      ...(response === 'empty' ? {} : { content: { 'application/json': { schema: response } } }),
    };
  }
  if (returnsJson(endpoint)) responses['304'] = endpoint.cache ? cachedNotModified : notModified;
  return responses;
}

/** Whether its response has an ETag. */
export const returnsJson = ({ method, responses }: Endpoint): boolean =>
  method === 'get' && responses[200] instanceof z.ZodType;

const notModified: ZodOpenApiResponseObject = {
  id: 'NotModified',
  description: 'What you have is current (If-None-Match)',
  ...headersNamed(['ETag', 'Cache-Control', 'Vary']),
};

const cachedNotModified: ZodOpenApiResponseObject = {
  ...notModified,
  id: 'NotModifiedFromCache',
  ...headersNamed(['ETag', 'Cache-Control', 'Vary', 'X-Cache']),
};

function headersOf(endpoint: Endpoint, status: string): HeaderName[] {
  const { cache, idempotent, setsCookies, hasLinks } = endpoint;
  return [
    ...(status === '201' ? (['Location'] as const) : []),
    'Cache-Control',
    ...(returnsJson(endpoint) ? (['ETag', 'Vary'] as const) : []),
    ...(hasLinks ? (['Link'] as const) : []),
    ...(cache ? (['X-Cache'] as const) : []),
    ...(idempotent ? (['Idempotent-Replayed'] as const) : []),
    ...(setsCookies ? (['Set-Cookie'] as const) : []),
  ];
}

/** What `sendFile` answers. */
function fileResponses(types: readonly string[]): ZodOpenApiResponsesObject {
  const content = Object.fromEntries(
    types.map((type) => [type, { schema: { type: 'string' as const, format: 'binary' } }]),
  );
  const headers: HeaderName[] = ['ETag', 'Last-Modified', 'Cache-Control', 'Accept-Ranges', 'Content-Disposition'];
  return {
    200: { description: 'The file', ...headersNamed([...headers, 'X-Cache']), content },
    206: {
      description: 'The part of the file that Range asks for',
      ...headersNamed([...headers, 'Content-Range']),
      content,
    },
    304: {
      description: 'The file has not changed since (If-None-Match, If-Modified-Since)',
      ...headersNamed(['ETag', 'Last-Modified', 'Cache-Control', 'X-Cache']),
    },
  };
}

function failures(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, errors] of byStatus(errorsOf(endpoint))) {
    responses[String(status) as '400'] = failureOf(status, errors);
  }
  return responses;
}

function byStatus(errors: readonly ErrorDefinition[]): [status: number, errors: ErrorDefinition[]][] {
  const groups = new Map<number, Map<string, ErrorDefinition>>();
  for (const error of errors) {
    const status = statusOf[error.kind];
    groups.set(status, (groups.get(status) ?? new Map()).set(error.code, error));
  }
  return [...groups].sort(([a], [b]) => a - b).map(([status, group]) => [status, [...group.values()]]);
}

const HEADERS_OF_FAILURES: Record<number, HeaderName[]> = {
  401: ['WWW-Authenticate'],
  416: ['Content-Range'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};

/** zod-openapi writes a response with an id once, as a component, if it is always the same object. */
const shared = new Map<string, ZodOpenApiResponseObject>();

function failureOf(status: number, errors: ErrorDefinition[]): ZodOpenApiResponseObject {
  const id = sharedName(status, errors);
  if (id === undefined) return describeFailure(status, errors);
  const response = shared.get(id) ?? { id, ...describeFailure(status, errors) };
  shared.set(id, response);
  return response;
}

/** Describes the error codes of a status: as text, as an enum for programs, and by an example of each. */
const describeFailure = (status: number, errors: ErrorDefinition[]): ZodOpenApiResponseObject => ({
  description: errors.map((error) => `\`${error.code}\`: ${error.description}`).join('\n\n'),
  ...headersNamed(['Cache-Control', ...(HEADERS_OF_FAILURES[status] ?? [])]),
  content: {
    'application/problem+json': {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          {
            type: 'object',
            properties: { code: { type: 'string', enum: errors.map((error) => error.code) } },
            required: ['code'],
          },
        ],
      },
      examples: Object.fromEntries(errors.map((error) => [error.code, { value: exampleProblem(error) }])),
    },
  },
});

/** Errors that do not belong to a feature, so that many operations have the same responses. */
const COMMON = new Set(
  [
    ...ALWAYS_POSSIBLE,
    invalidRequest,
    invalidJson,
    unauthenticated,
    forbidden,
    crossSiteRequest,
    notFound,
    preconditionFailed,
    unsupportedMediaType,
  ].map(({ code }) => code),
);

const ALWAYS = new Map(byStatus(ALWAYS_POSSIBLE).map(([status, errors]) => [status, errors.length]));

/** The name of a response that many operations share. */
function sharedName(status: number, errors: ErrorDefinition[]): string | undefined {
  if (!errors.every(({ code }) => COMMON.has(code))) return undefined;
  const isAlways = ALWAYS.get(status) === errors.length && errors.length > 1;
  if (isAlways) return pascalCase((STATUS_CODES[status] ?? '').replaceAll(' ', '_'));
  return errors.map(({ code }) => pascalCase(code)).join('Or');
}

const pascalCase = (code: string): string => code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

const unexpectedError: ZodOpenApiResponseObject = {
  id: 'UnexpectedError',
  description: 'Any other error, such as 500 `internal_error`: a bug on our side.',
  ...headersNamed([]),
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: { internal_error: { value: exampleProblem() } },
    },
  },
};
