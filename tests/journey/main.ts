import path from 'node:path';
import { gatewayUrl } from '@shop/dev';
import { OperatorError, repoRoot, runMain, UsageError } from '@shop/test-servers';
import { runJourney } from './journey';

/** `npm run journey` uses the running fleet's gateway, `npm run journey -- http://some.gateway` another one. */
async function main([baseUrl, ...more]: string[]): Promise<number> {
  if (more.length > 0 || baseUrl?.startsWith('-')) throw new UsageError('npm run journey [-- http://some.gateway]');
  const gateway = baseUrl ?? (await gatewayUrl());
  if (!gateway)
    throw new OperatorError('the fleet is not running: start ./run-services.sh, or pass the URL of a gateway');
  if (!URL.canParse(gateway)) throw new OperatorError(`${gateway} is not a URL such as http://localhost:8000`);
  await runJourney({ baseUrl: gateway, imagePath: path.join(repoRoot, 'docs/mug.png'), print: console.log });
  return 0;
}

runMain(main);
