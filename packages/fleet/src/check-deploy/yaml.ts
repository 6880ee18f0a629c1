import { type Document, parseAllDocuments } from 'yaml';
import type { DeployFiles } from './files';
import type { Check, Found } from './problem';

// Compose's own: what an overlay takes away from the file below it, or puts in its place.
const composeTags = ['!reset', '!override'].flatMap((tag) => [
  { tag, collection: 'map' as const },
  { tag, collection: 'seq' as const },
  { tag, resolve: () => null },
]);

/** All documents of a YAML file, with what is wrong about each. */
function parsed(text: string): Document[] {
  const documents = parseAllDocuments(text, { customTags: (tags) => [...tags, ...composeTags], merge: true });
  return Array.isArray(documents) ? documents : [];
}

/** The values of a YAML file's documents; of empty ones nothing. Only for files that `yamlIsWellFormed` has passed. */
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
