import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';
import { filesBelow } from './files';
import { generatedManifests } from './generated';

/** `npm run k8s:sync`: regenerates the manifests that contain copies of files in this repository. */
for (const [file, text] of Object.entries(generatedManifests(filesBelow(repoRoot)))) {
  writeFileSync(path.join(repoRoot, file), text);
  console.log(file);
}
