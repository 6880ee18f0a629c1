import { type Document, parseAllDocuments } from 'yaml';
import type { DeployFiles } from './files';
import type { Check, Found } from './problem';

// Compose's own tags: an overlay removes or replaces a value of the base file.
const composeTags = ['!reset', '!override'].flatMap((tag) => [
  { tag, collection: 'map' as const },
  { tag, collection: 'seq' as const },
  { tag, resolve: () => null },
]);

/** All documents of a YAML file, with their errors. */
function parsed(text: string): Document[] {
  const documents = parseAllDocuments(text, { customTags: (tags) => [...tags, ...composeTags], merge: true });
  return Array.isArray(documents) ? documents : [];
}

/** The values of a YAML file's non-empty documents. Only for files that have passed `yamlIsWellFormed`. */
export function yamlValues(files: DeployFiles, file: string): unknown[] {
  return parsed(files.read(file))
    .map((document) => document.toJS() as unknown)
    .filter((value) => value !== null && value !== undefined);
}

export const yamlIsWellFormed: Check = (files) =>
  files.paths
    .filter((file) => /\.ya?ml$/.test(file))
    .flatMap((file) =>
      parsed(files.read(file)).flatMap(({ errors, warnings }) =>
        [...errors, ...warnings].map(
          ({ message, linePos }): Found => ({
            file,
            at: linePos ? `line ${linePos[0].line}` : '',
            message: message.split('\n', 1)[0] ?? message,
          }),
        ),
      ),
    );
