import * as pulumi from '@pulumi/pulumi';
import { givenKeys } from '../../shared/given-keys';

/** The configuration of the stack: `pulumi config set shop:domain api.example.com`. */
export interface Settings {
  location: string;
  /** The host name of the API. */
  domain: string;
  /** `OWNER/REPOSITORY` on GitHub, whose workflow may deploy. */
  repository: string;
  /** An IP address with more requests per minute is blocked for the rest of the minute. */
  requestsPerMinute: number;
  /** false: the WAF only logs. For the first week of a new shop, to find requests that are blocked by mistake. */
  wafBlocks: boolean;
  /** A DDoS protection plan costs a few thousand dollars a month, see README.md. */
  ddosPlan: boolean;
  /** The gateway's private link service exists only after the first `kubectl apply`. From then on it is true. */
  gatewayIsUp: boolean;
  jwtSecret: pulumi.Output<string>;
  databasePassword: pulumi.Output<string>;
  smtpPassword: pulumi.Output<string> | undefined;
  /** The optional keys that are given, by their settings: `pulumi config set --secret shop:FACTOR_KEY`. */
  keys: Record<string, pulumi.Output<string>>;
}

export function readSettings(): Settings {
  const shop = new pulumi.Config('shop');
  return {
    location: new pulumi.Config('azure-native').require('location'),
    domain: shop.require('domain'),
    repository: shop.require('repository'),
    requestsPerMinute: shop.getNumber('requestsPerMinute') ?? 1000,
    wafBlocks: shop.getBoolean('wafBlocks') ?? true,
    ddosPlan: shop.getBoolean('ddosPlan') ?? true,
    gatewayIsUp: shop.getBoolean('gatewayIsUp') ?? false,
    jwtSecret: shop.requireSecret('jwtSecret'),
    databasePassword: shop.requireSecret('databasePassword'),
    smtpPassword: shop.getSecret('smtpPassword'),
    keys: givenKeys(shop),
  };
}
