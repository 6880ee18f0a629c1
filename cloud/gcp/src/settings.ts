import * as pulumi from '@pulumi/pulumi';
import { givenKeys } from '../../shared/given-keys';

/** The configuration of the stack: `pulumi config set shop:domain api.example.com`. */
export interface Settings {
  project: string;
  region: string;
  /** The host name of the API. Its A record must point to the output `address`. */
  domain: string;
  /** `OWNER/REPOSITORY` on GitHub, whose workflow may deploy. */
  repository: string;
  /** An IP address with more requests per minute that reach the load balancer's backend is banned for `banSeconds`. */
  requestsPerMinute: number;
  banSeconds: number;
  /** true: the WAF rules only log. For the first week of a new shop, to find requests that are blocked by mistake. */
  wafPreview: boolean;
  databaseTier: string;
  jwtSecret: pulumi.Output<string>;
  databasePassword: pulumi.Output<string>;
  smtpPassword: pulumi.Output<string> | undefined;
  /** The optional keys that are given, by their settings: `pulumi config set --secret shop:FACTOR_KEY`. */
  keys: Record<string, pulumi.Output<string>>;
}

export function readSettings(): Settings {
  const gcp = new pulumi.Config('gcp');
  const shop = new pulumi.Config('shop');
  return {
    project: gcp.require('project'),
    region: gcp.require('region'),
    domain: shop.require('domain'),
    repository: shop.require('repository'),
    requestsPerMinute: shop.getNumber('requestsPerMinute') ?? 1000,
    banSeconds: shop.getNumber('banSeconds') ?? 300,
    wafPreview: shop.getBoolean('wafPreview') ?? false,
    databaseTier: shop.get('databaseTier') ?? 'db-custom-4-16384',
    jwtSecret: shop.requireSecret('jwtSecret'),
    databasePassword: shop.requireSecret('databasePassword'),
    smtpPassword: shop.getSecret('smtpPassword'),
    keys: givenKeys(shop),
  };
}
