import { z } from 'zod';
import {
  createDocument,
  createSchema,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
} from 'zod-openapi';
import type { Access, Endpoint, Tag } from './endpoint';
import { errorsOf } from './endpoint-errors';
import { addExamples } from './openapi-examples';
import { EXAMPLE_TAG, responseHeaders, responsesOf, returnsJson } from './openapi-responses';
import { problemSchemaFor } from './problem';

export type OpenApiDocument = ReturnType<typeof createDocument>;

/** All packages have the version of the release. */
const { version }: { version: string } = require('../../package.json');

/** Creates the OpenAPI 3.1 document for a list of declared endpoints. */
export function openApiDocument(title: string, endpoints: Endpoint[]): OpenApiDocument {
  const paths: NonNullable<ZodOpenApiObject['paths']> = {};
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint) };
  }
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: {
        title,
        version,
        description:
          'Errors are application/problem+json (RFC 9457) with a stable `code`. Send X-Request-Id to find a request in the logs.',
        contact: { name: 'The operator of this shop' },
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The server that this document comes from' }],
      tags: tagsOf(endpoints),
      paths,
      components: {
        schemas: { Problem: problemSchemaFor(endpoints.flatMap(errorsOf)) },
        headers: responseHeaders,
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'The `token` of a login or a registration.',
          },
          cookie: {
            type: 'apiKey',
            in: 'cookie',
            name: 'access_token',
            description:
              'For browsers: set by a login with `?cookies=true`. Ignored if there is an Authorization header.',
          },
        },
      },
    },
    { override: simplify },
  );
  return addExamples(document);
}

/** Leaves out what generated clients and validators cannot use, and puts back the examples of requests. */
const simplify: ZodOpenApiOverride = ({ jsonSchema, zodSchema }) => {
  // That an integer is exact in JavaScript is no rule of the shop, and the format says all of a time's pattern.
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  // zod takes examples for values after the transformation, and drops them from the schema of a request that has one.
  const examples = z.globalRegistry.get(zodSchema)?.examples;
  if (Array.isArray(examples)) jsonSchema.examples = examples;
};

const tagsOf = (endpoints: Endpoint[]): Tag[] => [...new Map(endpoints.map(({ tag }) => [tag.name, tag])).values()];

function operation(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { params, query, cookie, tag } = endpoint;
  const header = headerParameters(endpoint);
  return {
    operationId: endpoint.operationId ?? derivedId(endpoint),
    tags: [tag.name],
    summary: endpoint.summary,
    description: descriptionOf(endpoint),
    security: endpoint.access === 'public' ? [] : [{ bearer: [] }, { cookie: [] }],
    ...(params || query || header || cookie
      ? {
          requestParams: {
            ...(params instanceof z.ZodObject ? { path: params } : {}),
            ...(query instanceof z.ZodObject ? { query } : {}),
            ...(header ? { header } : {}),
            ...(cookie ? { cookie: z.object({ [cookie]: cookieSchema }) } : {}),
          },
        }
      : {}),
    ...requestBody(endpoint),
    responses: responsesOf(endpoint),
  };
}

/** The same objects for all operations: the id makes zod-openapi write each one once, as a component. */
const ifNoneMatch = z
  .string()
  .optional()
  .meta({
    description: 'The ETags of the responses that you have. If one of them is current, the response is a 304.',
    examples: [EXAMPLE_TAG],
    param: { id: 'IfNoneMatch' },
  });
const ifMatch = z
  .string()
  .optional()
  .meta({
    description:
      'The ETag of your last GET of this resource. If the resource has changed since, nothing is written, and the response ' +
      'is a 412. `*`: any.',
    examples: [EXAMPLE_TAG],
    param: { id: 'IfMatch' },
  });

function headerParameters(endpoint: Endpoint): z.ZodObject | undefined {
  const shape = {
    ...(endpoint.headers instanceof z.ZodObject ? endpoint.headers.shape : {}),
    ...(returnsJson(endpoint) ? { 'if-none-match': ifNoneMatch } : {}),
    ...(endpoint.ifMatch ? { 'if-match': ifMatch } : {}),
  };
  return Object.keys(shape).length > 0 ? z.object(shape) : undefined;
}

const cookieSchema = z
  .string()
  .optional()
  .meta({ description: 'Set by a login with `?cookies=true`', examples: ['vq7Yw2kq0m1xJf8cBzTn5RdHs3LuGaEp'] });

const derivedId = ({ method, path }: Endpoint): string =>
  [method, ...path.split(/[/.]/).filter((part) => part && part !== 'api' && part !== 'v1')]
    .map((part) => part.replace(/^:/, 'by-'))
    .join('-')
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** An operation has one body type in the document, because generated clients support one. */
function requestBody(endpoint: Endpoint): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  const { body, upload } = endpoint;
  if (upload?.required) {
    const id = `${capitalized(endpoint.operationId ?? derivedId(endpoint))}Form`;
    const schema = formOf(endpoint).meta({ id, description: 'A form with the file' });
    return { requestBody: { required: true, content: { 'multipart/form-data': { schema } } } };
  }
  if (!body) return {};
  const form = upload && createSchema(formOf(endpoint), { io: 'input', opts: { override: simplify } }).schema;
  return {
    requestBody: {
      required: !body.safeParse(undefined).success,
      content: { 'application/json': { schema: body } },
      ...(form ? { 'x-also-accepts': { 'multipart/form-data': { schema: form } } } : {}),
    },
  };
}

const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function formOf({ form, upload }: Endpoint): z.ZodType {
  if (!upload) throw new Error('only an endpoint with an upload accepts a form');
  const megabytes = upload.maxBytes / 2 ** 20;
  const file = z.string().meta({ format: 'binary', description: `The file, at most ${megabytes} MiB` });
  const fields = form instanceof z.ZodObject ? form.shape : {};
  return z.strictObject({ ...fields, [upload.field]: upload.required ? file : file.optional() });
}

const WHO_MAY: Record<Access, string> = {
  public: 'Needs no access token.',
  user: 'Needs an access token.',
  admin: 'Needs the access token of an administrator.',
};

function descriptionOf({ description, access, path, upload, form }: Endpoint): string {
  const alsoAForm =
    upload &&
    !upload.required &&
    form &&
    `Also accepts the same fields as multipart/form-data, with a file as \`${upload.field}\`:\n\n` +
      `    curl ${path} -H "Authorization: Bearer $TOKEN" -F name='Blue mug' -F price=12.50 -F ${upload.field}=@mug.png`;
  return [description, WHO_MAY[access], alsoAForm].filter(Boolean).join('\n\n');
}
