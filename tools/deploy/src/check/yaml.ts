import { type Document, parseAllDocuments } from 'yaml';
import type { Check } from './check';
import type { DeployFiles } from './files';

// By text, because every check reads the same files.
const documentsOf = new Map<string, Document[]>();

function documents(text: string): Document[] {
  const parsed = documentsOf.get(text) ?? [...parseAllDocuments(text, { merge: true })];
  documentsOf.set(text, parsed);
  return parsed;
}

const valuesOf = new Map<string, unknown[]>();

/** The values of a YAML file's documents. Only for files that have passed `yamlIsWellFormed`. */
export function yamlValues(files: DeployFiles, file: string): unknown[] {
  const text = files.read(file);
  const values = valuesOf.get(text) ?? documents(text).map((document) => document.toJS());
  valuesOf.set(text, values);
  return values;
}

export const yamlIsWellFormed: Check = (files) =>
  files.paths
    .filter((file) => /\.ya?ml$/.test(file))
    .flatMap((file) => {
      const problems = documents(files.read(file)).flatMap(({ errors, warnings }) => [...errors, ...warnings]);
      return problems.map(({ message }) => `${file}: ${message.split('\n', 1)[0]}`);
    });
