import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { services } from '@shop/shop/services';
import { repoRoot } from '@shop/test-servers';
import { renderDeployment } from './render';

/** `npm run deploy:render`: writes the deployment files that follow from the table of services. */
for (const [file, text] of renderDeployment(services)) {
  writeFileSync(path.join(repoRoot, file), text);
  console.log(file);
}
