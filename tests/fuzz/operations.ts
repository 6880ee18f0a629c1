/** The part of JSON Schema that the shop's OpenAPI document uses for requests. */
export interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean;
  minProperties?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  not?: Schema;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  format?: string;
  pattern?: string;
}

type ParameterPlace = 'path' | 'query' | 'header';

export interface Parameter {
  name: string;
  in: ParameterPlace;
  required: boolean;
  schema: Schema;
}

export interface Operation {
  /** Such as `PUT /api/v1/stores/{id}`. */
  name: string;
  method: string;
  path: string;
  isPublic: boolean;
  parameters: Parameter[];
  bodyRequired: boolean;
  json: Schema | undefined;
  form: Schema | undefined;
  responses: Map<number, DeclaredResponse>;
}

interface DeclaredResponse {
  /** Media types. Empty: the response has no body. */
  types: string[];
  /** JSON pointer to the body's schema in the document. */
  schemaAt: string | undefined;
  /** The declared error codes. */
  codes: string[];
  /** Names of the declared headers, in lower case. */
  headers: string[];
}

interface MediaType {
  schema?: Schema & { allOf?: [unknown, { properties?: { code?: { enum?: string[] } } }] };
}

interface ResponseObject {
  $ref?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, MediaType>;
}

interface RequestBody {
  required?: boolean;
  content?: Record<string, MediaType>;
  'x-also-accepts'?: Record<string, MediaType>;
}

interface OperationObject {
  security?: unknown[];
  parameters?: (Parameter | { in: 'cookie'; name: string })[];
  requestBody?: RequestBody;
  responses: Record<string, ResponseObject>;
}

export interface OpenApi {
  paths: Record<string, Record<string, OperationObject>>;
  components?: { responses?: Record<string, ResponseObject>; schemas?: Record<string, Schema> };
}

/** Replaces the `$ref`s to named schemas with the schemas. */
function resolved<T>(value: T, schemas: Record<string, Schema>): T {
  if (typeof value !== 'object' || value === null) return value;
  const { $ref: to } = value as { $ref?: unknown };
  if (typeof to === 'string') return resolved(schemas[to.replace('#/components/schemas/', '')] as T, schemas);
  if (Array.isArray(value)) return value.map((item) => resolved(item, schemas)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolved(inner, schemas)])) as T;
}

/** All operations of an OpenAPI document. */
export const operationsOf = (document: OpenApi): Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const schemas = document.components?.schemas ?? {};
      const body: RequestBody = resolved(operation.requestBody ?? {}, schemas);
      const { content = {}, 'x-also-accepts': alsoAccepts = {} } = body;
      // The shared parameters are If-Match and If-None-Match, which take any text.
      const own = (operation.parameters ?? []).filter((parameter) => !('$ref' in parameter));
      const parameters = resolved(own, schemas);
      const json = content['application/json']?.schema;
      // Requests have no cookies, so they need the fields that a cookie can replace.
      const replaced = parameters.filter(({ in: place, name }) => place === 'cookie' && json?.properties?.[name]);
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        isPublic: operation.security?.length === 0,
        parameters: parameters
          .filter((parameter) => parameter.in !== 'cookie')
          .map((parameter) => ({ ...parameter, required: Boolean(parameter.required) })),
        bodyRequired: operation.requestBody?.required || replaced.length > 0,
        json: json && { ...json, required: [...(json.required ?? []), ...replaced.map(({ name }) => name)] },
        form: (content['multipart/form-data'] ?? alsoAccepts['multipart/form-data'])?.schema,
        responses: new Map(
          Object.entries(operation.responses)
            // The default is for bugs. It must not make every response a declared one.
            .filter(([status]) => status !== 'default')
            .map(([status, response]) => [
              Number(status),
              declaredResponse(document, response, ['paths', path, method, 'responses', status]),
            ]),
        ),
      };
    }),
  );

function declaredResponse(document: OpenApi, response: ResponseObject, at: string[]): DeclaredResponse {
  const name = response.$ref?.replace('#/components/responses/', '');
  if (name !== undefined) {
    const shared = document.components?.responses?.[name];
    if (!shared) throw new Error(`unknown reference ${response.$ref}`);
    return declaredResponse(document, shared, ['components', 'responses', name]);
  }
  const types = Object.keys(response.content ?? {});
  const json = types.find((type) => type.endsWith('json'));
  return {
    types,
    schemaAt: json && pointer([...at, 'content', json, 'schema']),
    codes: (json && response.content?.[json]?.schema?.allOf?.[1].properties?.code?.enum) || [],
    headers: Object.keys(response.headers ?? {}).map((header) => header.toLowerCase()),
  };
}

const pointer = (keys: string[]): string =>
  `#/${keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
