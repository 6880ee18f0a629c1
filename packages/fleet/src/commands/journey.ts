import path from 'node:path';
import { FleetError } from '../errors';
import { runJourney } from '../journey';
import { repoRoot } from '../paths';
import { readState } from '../state';

/** `npm run journey`: through the gateway of the running fleet, or `npm run journey -- http://some.gateway`. */
export async function journey([baseUrl]: string[]): Promise<number> {
  const port = readState()?.gatewayPort;
  const gateway = baseUrl ?? (port === undefined ? undefined : `http://localhost:${port}`);
  if (!gateway) throw new FleetError('the fleet is not running: start ./run-services.sh, or say which gateway to use');
  if (!URL.canParse(gateway)) throw new FleetError(`${gateway} is not an address such as http://localhost:8000`);
  await runJourney({ baseUrl: gateway, imagePath: path.join(repoRoot, 'docs/mug.png'), print: console.log });
  return 0;
}
