import { gatewayUrl } from '../state';

/** Prints the gateway's address, for `API=$(./run-services.sh url)`. */
export async function url(): Promise<number> {
  const address = gatewayUrl();
  if (address === undefined) {
    console.error('not running: start it with ./run-services.sh');
    return 3;
  }
  console.log(address);
  return 0;
}
