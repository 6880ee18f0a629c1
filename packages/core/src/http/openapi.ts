import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { ErrorDefinition } from '../errors';
import { forbidden, notFound, unauthenticated, unsupportedMediaType } from '../errors';
import type { Endpoint } from './endpoint';
import { ALWAYS_POSSIBLE, errorsOf } from './endpoint-errors';
import { problemSchemaFor, statusOf } from './problem';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const SUCCESS_WORDS: Record<string, string> = {
  200: 'Done',
  201: 'Created; Location names it',
  202: 'Accepted',
  204: 'Done, no body',
};

/** Creates the OpenAPI 3.1 document for a list of declared endpoints. */
export function openApiDocument(title: string, endpoints: Endpoint[]): OpenApiDocument {
  const paths: NonNullable<ZodOpenApiObject['paths']> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title,
      version: '1',
      description:
        'Errors are application/problem+json (RFC 9457) with a stable `code`. Send X-Request-Id to find a request in the logs.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: problemSchemaFor(endpoints.flatMap(errorsOf)) },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'access_token' },
      },
    },
  });
}

function operation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { params, query, headers, cookie } = endpoint;
  return {
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.description ? { description: endpoint.description } : {}),
    security: endpoint.access === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    ...(params || query || headers || cookie
      ? {
          requestParams: {
            ...(params instanceof z.ZodObject ? { path: params } : {}),
            ...(query instanceof z.ZodObject ? { query } : {}),
            ...(headers instanceof z.ZodObject ? { header: headers } : {}),
            ...(cookie ? { cookie: z.object({ [cookie]: z.string().optional() }) } : {}),
          },
        }
      : {}),
    ...requestBody(endpoint),
    responses: { ...successes(endpoint), ...failures(endpoint) },
  };
}

const operationId = ({ method, path }: Endpoint): string =>
  [method, ...path.split(/[/.]/).filter((part) => part && part !== 'api' && part !== 'v1')]
    .map((part) => part.replace(/^:/, 'by-'))
    .join('-')
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function requestBody({ body, form, upload }: Endpoint): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (!body && !upload) return {};
  const content: Record<string, { schema: z.ZodType }> = {};
  if (body && !upload?.required) content['application/json'] = { schema: body };
  if (upload) {
    const file = z.string().meta({ format: 'binary', description: `At most ${upload.maxBytes} bytes` });
    const fields = form instanceof z.ZodObject ? form.shape : {};
    content['multipart/form-data'] = {
      schema: z.strictObject({ ...fields, [upload.field]: upload.required ? file : file.optional() }),
    };
  }
  const required = upload?.required || !body?.safeParse(undefined).success;
  return { requestBody: { required, content } };
}

function successes({ responses: declared, cache }: Endpoint): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  for (const [status, response] of Object.entries(declared)) {
    const description = SUCCESS_WORDS[status] ?? 'Done';
    const headers = {
      ...(status === '201' ? { Location: { schema: { type: 'string' as const } } } : {}),
      ...(cache ? { 'X-Cache': { schema: { type: 'string' as const, enum: ['HIT', 'MISS', 'BYPASS'] } } } : {}),
    };
    const content =
      response === 'empty'
        ? undefined
        : response instanceof z.ZodType
          ? { 'application/json': { schema: response } }
          : Object.fromEntries(
              response.binary.map((type) => [type, { schema: { type: 'string' as const, format: 'binary' } }]),
            );
    responses[status as '200'] = {
      description,
      ...(Object.keys(headers).length > 0 ? { headers } : {}),
      ...(content ? { content } : {}),
    };
  }
  return responses;
}

function failures(endpoint: Endpoint): ZodOpenApiResponsesObject {
  const responses: ZodOpenApiResponsesObject = {};
  const byStatus = new Map<number, Map<string, ErrorDefinition>>();
  for (const error of errorsOf(endpoint)) {
    const status = statusOf[error.kind];
    byStatus.set(status, (byStatus.get(status) ?? new Map()).set(error.code, error));
  }
  for (const [status, errors] of [...byStatus].sort(([a], [b]) => a - b)) {
    const [code] = errors.keys();
    const shared = errors.size === 1 && code !== undefined ? sharedFailures.get(code) : undefined;
    responses[String(status) as '400'] = shared ?? failureOf([...errors.values()]);
  }
  return responses;
}

/** Describes the error codes of a status: as text, and as an enum for programs. */
function failureOf(errors: ErrorDefinition[]): ZodOpenApiResponseObject {
  const code = { enum: errors.map((error) => error.code) };
  const narrowed = { type: 'object' as const, properties: { code } };
  return {
    description: errors.map((error) => `\`${error.code}\`: ${error.description}`).join('\n\n'),
    content: {
      'application/problem+json': { schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, narrowed] } },
    },
  };
}

/** Responses shared by many operations. Their id makes zod-openapi write each one once, as a component. */
const sharedFailures = new Map(
  [...ALWAYS_POSSIBLE, unauthenticated, forbidden, notFound, unsupportedMediaType].map((error) => [
    error.code,
    { id: pascalCase(error.code), ...failureOf([error]) },
  ]),
);

function pascalCase(code: string): string {
  return code.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
