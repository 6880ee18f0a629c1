import { optionalKeysOf, services } from '../../packages/shop/src/services';

const optionalKeys = new Set(Object.values(services).flatMap(optionalKeysOf));

/** The optional keys in the configuration of a Pulumi stack, by their settings. */
export function givenKeys<T>(config: { getSecret(name: string): T | undefined }): Record<string, T> {
  const given = [...optionalKeys].map((name): [string, T | undefined] => [name, config.getSecret(name)]);
  return Object.fromEntries(given.filter((entry): entry is [string, T] => entry[1] !== undefined));
}
