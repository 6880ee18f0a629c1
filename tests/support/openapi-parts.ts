/** The part of an OpenAPI document that tests of its quality read. */
export interface Documented {
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, DocumentedOperation>>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses: Record<string, Response>;
    headers: Record<string, Header>;
    parameters?: Record<string, Parameter>;
  };
}

interface DocumentedOperation {
  operationId?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, Response>;
}

export interface JsonSchema {
  $ref?: string;
  type?: string;
  description?: string;
  pattern?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  examples?: unknown[];
  anyOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

interface MediaType {
  schema: JsonSchema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  description?: string;
  schema: JsonSchema;
  example?: unknown;
}

interface Header {
  description?: string;
  schema: JsonSchema;
}

interface Response {
  $ref?: string;
  description?: string;
  content?: Record<string, MediaType>;
}

const pointerTo = (...keys: string[]): string =>
  keys.map((key) => `/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

export const operationsIn = (document: Documented) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Every parameter, with its examples and the JSON pointer to its schema. */
export const parametersOf = (document: Documented) =>
  operationsIn(document).flatMap(({ path, method, operation: { parameters = [] } }) =>
    parameters.map((parameter, index) => {
      const shared = parameter.$ref?.replace('#/components/parameters/', '');
      const {
        name,
        in: place,
        description,
        schema,
        example,
      } = (shared && document.components.parameters?.[shared]) || parameter;
      const keys = shared ? ['components', 'parameters', shared] : ['paths', path, method, 'parameters', String(index)];
      const named = schema.$ref && document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
      return {
        at: `${method} ${path}, ${name}`,
        operation: `${method} ${path}`,
        name,
        place,
        description,
        named: true,
        // Only required parameters have one beside the schema: the page at /docs would send it.
        examples: example === undefined ? ((named || schema).examples ?? []) : [example],
        pointer: pointerTo(...keys, 'schema'),
      };
    }),
  );

/** Every JSON body of a request or a response. Files have no example: no text can stand for one. */
export const bodiesOf = (document: Documented) =>
  [
    ...operationsIn(document).flatMap(({ path, method, operation: { requestBody, responses } }) => [
      { keys: ['paths', path, method, 'requestBody'], content: requestBody?.content },
      ...Object.entries(responses).map(([status, { content }]) => ({
        keys: ['paths', path, method, 'responses', status],
        content,
      })),
    ]),
    ...Object.entries(document.components.responses).map(([name, { content }]) => ({
      keys: ['components', 'responses', name],
      content,
    })),
  ].flatMap(({ keys, content = {} }) =>
    Object.entries(content)
      .filter(([type]) => type.endsWith('json'))
      .map(([type, { schema, example, examples = {} }]) => ({
        at: [...keys, type].join(' '),
        named: Boolean(schema.$ref ?? schema.allOf?.[0]?.$ref),
        examples: [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)],
        pointer: pointerTo(...keys, 'content', type, 'schema'),
      })),
  );

export const headersOf = (document: Documented) =>
  Object.entries(document.components.headers).map(([name, { description }]) => ({ at: `header ${name}`, description }));

/** Every named schema and every property. A `$ref` is described where it leads. */
export const schemasOf = (document: Documented) =>
  Object.entries(document.components.schemas).flatMap(([name, schema]) => [
    { at: name, description: schema.description, schema },
    ...propertiesOf(name, schema),
  ]);

function propertiesOf(
  at: string,
  schema: JsonSchema,
): { at: string; description: string | undefined; schema: JsonSchema }[] {
  const own = Object.entries(schema.properties ?? {}).filter(([, { $ref }]) => $ref === undefined);
  return [
    ...own.flatMap(([name, property]) => [
      { at: `${at}.${name}`, description: property.description, schema: property },
      ...propertiesOf(`${at}.${name}`, property),
    ]),
    ...[...(schema.items ? [schema.items] : []), ...(schema.anyOf ?? [])].flatMap((inner) => propertiesOf(at, inner)),
  ];
}
