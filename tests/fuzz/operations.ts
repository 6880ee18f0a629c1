/** The part of JSON Schema that the shop's OpenAPI document uses for requests. */
export interface Schema {
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
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  multipleOf?: number;
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
}

interface MediaType {
  schema?: Schema & { allOf?: [unknown, { properties?: { code?: { enum?: string[] } } }] };
}

interface ResponseObject {
  $ref?: string;
  content?: Record<string, MediaType>;
}

interface OperationObject {
  security?: unknown[];
  parameters?: (Parameter | { in: 'cookie'; name: string })[];
  requestBody?: { required?: boolean; content: Record<string, MediaType> };
  responses: Record<string, ResponseObject>;
}

export interface OpenApi {
  paths: Record<string, Record<string, OperationObject>>;
  components?: { responses?: Record<string, ResponseObject> };
}

/** All operations of an OpenAPI document. Only responses may have `$ref`s. */
export const operationsOf = (document: OpenApi): Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const content = operation.requestBody?.content ?? {};
      const parameters = operation.parameters ?? [];
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
        form: content['multipart/form-data']?.schema,
        responses: new Map(
          Object.entries(operation.responses).map(([status, response]) => [
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
  };
}

const pointer = (keys: string[]): string =>
  `#/${keys.map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;
