import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder with this repository, from the source and from the compiled file. */
export const repoRoot: string = rootAbove(__dirname);

function rootAbove(folder: string): string {
  if (existsSync(path.join(folder, 'k8s/configmap.yaml'))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error('the folder k8s was not found');
  return rootAbove(parent);
}
