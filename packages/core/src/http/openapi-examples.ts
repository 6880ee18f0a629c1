import type { OpenApiDocument } from './openapi';

/** The part of JSON Schema that zod writes. */
interface JsonSchema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
}

interface MediaType {
  schema?: JsonSchema;
  example?: unknown;
  examples?: Record<string, unknown>;
}

interface Parameter {
  required?: boolean;
  schema?: JsonSchema;
  example?: unknown;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, MediaType> };
  responses: Record<string, { content?: Record<string, MediaType> }>;
}

/**
 * Gives each required parameter and each body an example. That of an object is made of those of its properties, unless its schema has one, so
 * that each is written once.
 */
export function addExamples(document: OpenApiDocument): OpenApiDocument {
  const schemas = (document.components?.schemas ?? {}) as Record<string, JsonSchema>;
  const complete = ([type, media]: [string, MediaType]) => {
    // No text can stand for a file.
    if (media.examples || !media.schema || type === 'multipart/form-data') return;
    const example = exampleOf(media.schema, schemas);
    if (example !== undefined) media.example = example;
  };
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item) as Operation[]) {
      for (const parameter of operation.parameters ?? []) {
        // The page at /docs sends them: those of optional parameters would hide rows of a list, or contradict each other.
        if (!parameter.required || !parameter.schema) continue;
        const example = exampleOf(parameter.schema, schemas);
        if (example !== undefined) parameter.example = example;
      }
      Object.entries(operation.requestBody?.content ?? {}).forEach(complete);
      for (const { content } of Object.values(operation.responses)) Object.entries(content ?? {}).forEach(complete);
    }
  }
  return document;
}

function exampleOf(schema: JsonSchema, schemas: Record<string, JsonSchema>): unknown {
  const named = schema.$ref && schemas[schema.$ref.replace('#/components/schemas/', '')];
  if (named) return exampleOf(named, schemas);
  if (schema.examples) return schema.examples[0];
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.anyOf?.[0]) return exampleOf(schema.anyOf[0], schemas);
  if (schema.items) return [exampleOf(schema.items, schemas)];
  if (!schema.properties) return undefined;
  const entries = Object.entries(schema.properties).map(([name, property]) => [name, exampleOf(property, schemas)]);
  return Object.fromEntries(entries.filter(([, example]) => example !== undefined));
}
