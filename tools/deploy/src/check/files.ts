import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The text of the deployment files of this repository. */
export interface DeployFiles {
  /** Paths from the repository's root, sorted. */
  readonly paths: readonly string[];
  read(file: string): string;
}

const folders = ['k8s', 'nginx', 'monitoring', 'scripts', 'sql', '.ci', '.githooks', '.github'];
const atTheRoot = /^(docker-compose.*\.yml|Dockerfile|tsconfig\.json|\.env\..*|.*\.sh)$/;

export function filesBelow(root: string): DeployFiles {
  const here = readdirSync(root).filter((name) => atTheRoot.test(name));
  const below = folders
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) => readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(root, path.join(parentPath, name)));
  return {
    paths: [...here, ...below].sort(),
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
  };
}

/** The same files with other texts, or with more files. */
export const withChanges = (files: DeployFiles, changes: ReadonlyMap<string, string>): DeployFiles => ({
  paths: [...new Set([...files.paths, ...changes.keys()])].sort(),
  read: (file) => changes.get(file) ?? files.read(file),
});

export const composeFiles = (files: DeployFiles): string[] =>
  files.paths.filter((file) => /^docker-compose.*\.yml$/.test(file));

export const manifestFiles = (files: DeployFiles): string[] =>
  files.paths.filter((file) => /^k8s\/.*\.ya?ml$/.test(file));

export const envFiles = (files: DeployFiles): string[] => files.paths.filter((file) => file.startsWith('.env.'));
