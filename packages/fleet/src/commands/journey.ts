import path from 'node:path';
import { FleetError, UsageError } from '../errors';
import { runJourney } from '../journey';
import { repoRoot } from '../paths';
import { gatewayUrl } from '../state';

/** `npm run journey` uses the running fleet's gateway, `npm run journey -- http://some.gateway` another one. */
export async function journey([baseUrl, ...more]: string[]): Promise<number> {
  if (more.length > 0 || baseUrl?.startsWith('-')) throw new UsageError('npm run journey [-- http://some.gateway]');
  const gateway = baseUrl ?? gatewayUrl();
  if (!gateway) throw new FleetError('the fleet is not running: start ./run-services.sh, or pass the URL of a gateway');
  if (!URL.canParse(gateway)) throw new FleetError(`${gateway} is not a URL such as http://localhost:8000`);
  await runJourney({ baseUrl: gateway, imagePath: path.join(repoRoot, 'docs/mug.png'), print: console.log });
  return 0;
}
