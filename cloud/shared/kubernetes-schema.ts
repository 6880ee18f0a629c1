import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import type { KubernetesObject } from './kubernetes-objects';
import { repoRoot } from './repo';

const schemaFile = (file: string) => JSON.parse(readFileSync(path.join(repoRoot, file), 'utf8'));

/** Validates against the schemas of `npm run deploy:check` and of the custom resources of the clouds. Unknown fields are errors. */
export function kubernetesProblems(objects: readonly KubernetesObject[]): string[] {
  const validators = compile();
  return objects.flatMap((object) => {
    const at = `${object.kind} ${object.metadata.name}`;
    const validate = validators.get(`${object.apiVersion} ${object.kind}`);
    if (!validate) return [`${at}: there is no schema for ${object.apiVersion}`];
    return validate(object) ? [] : (validate.errors ?? []).map((error) => `${at}: ${words(error)}`);
  });
}

function compile(): Map<string, ValidateFunction> {
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const kubernetes = schemaFile('tools/deploy/schemas/kubernetes.json');
  for (const [field, values] of Object.entries(schemaFile('tools/deploy/schemas/kubernetes-known-values.json').words)) {
    const [model = '', property = ''] = field.split('.');
    kubernetes.definitions[model].properties[property] = { enum: values };
  }
  const validators = new Map<string, ValidateFunction>();
  for (const [id, schema] of Object.entries({ kubernetes, cloud: schemaFile('cloud/shared/custom-resources.json') })) {
    ajv.addSchema({ definitions: schema.definitions }, id);
    for (const [name, ref] of Object.entries(schema.kinds)) {
      const validate = ajv.getSchema(`${id}${ref}`);
      if (validate) validators.set(name, validate);
    }
  }
  return validators;
}

const words = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath.slice(1).replaceAll('/', '.')} ${message} ${JSON.stringify(params)}`;
