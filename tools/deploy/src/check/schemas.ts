import { readFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import Ajv, { type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv';
import type { Check } from './check';
import { composeFiles, manifestFiles } from './files';
import { yamlValues } from './yaml';

const schemaFile = (name: string): SchemaObject & { kinds?: Record<string, string> } =>
  JSON.parse(readFileSync(path.join(repoRoot, 'tools/deploy/schemas', name), 'utf8'));

const newAjv = () => new Ajv({ allErrors: true, strict: false, validateFormats: false });

/** Finds what an API server would reject by its OpenAPI document: unknown kinds and fields, wrong types. */
export const manifestsFitKubernetes: Check = (files) => {
  const validators = kubernetesValidators();
  return manifestFiles(files).flatMap((file) =>
    yamlValues(files, file).flatMap((value) => {
      const { apiVersion, kind, metadata } = value as {
        apiVersion?: string;
        kind?: string;
        metadata?: { name?: string };
      };
      const at = `${file}: ${kind ?? 'no kind'} ${metadata?.name ?? 'without a name'}`;
      const validate = validators(`${apiVersion} ${kind}`);
      if (!validate) return [`${at}: there is no schema for ${apiVersion} ${kind}`];
      return validate(value) ? [] : problemsOf(validate, at);
    }),
  );
};

function kubernetesValidators(): (name: string) => ValidateFunction | undefined {
  const ajv = newAjv();
  const sources = ['kubernetes.json', 'kubernetes-known-values.json', 'gateway-api.json'].map(schemaFile);
  const [kubernetes, values, gateway] = sources;
  // The API's document says "string" for some fields that accept only a few values.
  for (const [field, words] of Object.entries(values?.words ?? {})) {
    const [model = '', property = ''] = field.split('.');
    const known = kubernetes?.definitions?.[model]?.properties;
    if (!known?.[property]) throw new Error(`kubernetes-known-values.json: unknown field ${field}`);
    known[property] = { enum: words };
  }
  const byName = new Map<string, () => ValidateFunction | undefined>();
  for (const [id, schema] of Object.entries({ kubernetes, gateway })) {
    if (!schema) continue;
    ajv.addSchema({ definitions: schema.definitions }, id);
    for (const [name, ref] of Object.entries(schema.kinds ?? {})) byName.set(name, () => ajv.getSchema(`${id}${ref}`));
  }
  return (name) => byName.get(name)?.();
}

/** The files of `docker stack deploy`, whose older format rejects these keys of a service. */
const stackFiles = ['docker-compose.yml', 'docker-compose.swarm.yml'];
const NOT_IN_A_STACK = ['profiles', 'extends', 'scale'];

/** Validates against the Compose Specification: unknown keys and wrong types. And what Swarm does not accept of it. */
export const composeFitsItsSpecification: Check = (files) => {
  const { $schema: _, ...specification } = schemaFile('compose-spec.json');
  const validate = newAjv().compile(specification);
  return composeFiles(files).flatMap((file) =>
    yamlValues(files, file).flatMap((value) =>
      validate(value)
        ? stackFiles.includes(file)
          ? stackProblems(file, value)
          : []
        : problemsOf(validate, `${file}:`),
    ),
  );
};

function stackProblems(file: string, value: unknown): string[] {
  const { services = {} } = value as { services?: Record<string, object> };
  return Object.entries(services).flatMap(([name, service]) =>
    NOT_IN_A_STACK.filter((key) => key in service).map(
      (key) => `${file}: .services.${name}: docker stack deploy does not accept "${key}"`,
    ),
  );
}

const problemsOf = ({ errors }: ValidateFunction, at: string): string[] => [
  ...new Set((errors ?? []).map((error) => `${at} ${place(error)}: ${words(error)}`)),
];

const place = ({ instancePath }: ErrorObject): string =>
  instancePath.slice(1).replaceAll('/', '.').replaceAll('~1', '/');

function words({ keyword, params, message = 'is wrong' }: ErrorObject): string {
  if (keyword === 'additionalProperties') return `unknown field "${params.additionalProperty}"`;
  if (keyword === 'enum') return `must be one of ${params.allowedValues.join(', ')}`;
  return message;
}
