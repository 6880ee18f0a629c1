import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The text of the deployment files of this repository. */
export interface DeployFiles {
  /** Paths from the repository's root, sorted. */
  readonly paths: readonly string[];
  /** @throws if the file does not exist */
  read(file: string): string;
}

const folders = ['k8s', 'nginx', 'monitoring', 'sql', 'scripts', '.ci', '.github'];
const atTheRoot = /^(docker-compose.*\.yml|\.env\..*|Dockerfile|.*\.sh)$/;

export function filesBelow(root: string): DeployFiles {
  const names = readdirSync(root, { withFileTypes: true });
  const here = names.filter((entry) => entry.isFile() && atTheRoot.test(entry.name)).map(({ name }) => name);
  const below = folders
    .filter((folder) => names.some(({ name }) => name === folder))
    .flatMap((folder) => listed(path.join(root, folder)).map((file) => path.relative(root, file)));
  const paths = [...here, ...below].sort();
  return {
    paths,
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
  };
}

function listed(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    return entry.isDirectory() ? listed(file) : [file];
  });
}

/** The same files with some texts replaced; `undefined` removes a file. */
export function withChanges(files: DeployFiles, changes: Record<string, string | undefined>): DeployFiles {
  const paths = new Set(files.paths);
  for (const [file, text] of Object.entries(changes)) text === undefined ? paths.delete(file) : paths.add(file);
  return {
    paths: [...paths].sort(),
    read(file) {
      if (!(file in changes)) return files.read(file);
      const text = changes[file];
      if (text === undefined) throw new Error(`${file} does not exist`);
      return text;
    },
  };
}

export const composeFiles = (files: DeployFiles): string[] =>
  files.paths.filter((file) => /^docker-compose.*\.yml$/.test(file));

export const manifestFiles = (files: DeployFiles): string[] =>
  files.paths.filter((file) => /^k8s\/.*\.ya?ml$/.test(file));
