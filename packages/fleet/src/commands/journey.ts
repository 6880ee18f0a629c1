import path from 'node:path';
import { FleetError, UsageError } from '../errors';
import { runJourney } from '../journey';
import { repoRoot } from '../paths';
import { gatewayUrl } from '../state';

/** `npm run journey`: through the gateway of the running fleet, or `npm run journey -- http://some.gateway`. */
export async function journey([baseUrl, ...more]: string[]): Promise<number> {
  if (more.length > 0 || baseUrl?.startsWith('-')) throw new UsageError('npm run journey [-- http://some.gateway]');
  const gateway = baseUrl ?? gatewayUrl();
  if (!gateway) throw new FleetError('the fleet is not running: start ./run-services.sh, or say which gateway to use');
  if (!URL.canParse(gateway)) throw new FleetError(`${gateway} is not an address such as http://localhost:8000`);
  await runJourney({ baseUrl: gateway, imagePath: path.join(repoRoot, 'docs/mug.png'), print: console.log });
  return 0;
}
