import * as gcp from '@pulumi/gcp';
import type { Settings } from './settings';

/**
 * The rules of the OWASP core rule set that the policy applies, at sensitivity 1: few false positives. There is no
 * `methodenforcement`, which would block the API's PUT, PATCH and DELETE.
 */
const wafRules = ['sqli', 'xss', 'lfi', 'rfi', 'rce', 'scannerdetection', 'protocolattack', 'sessionfixation'];

const EVERYBODY = { versionedExpr: 'SRC_IPS_V1', config: { srcIpRanges: ['*'] } };

/** Cloud Armor. The first rule that matches decides, so the rate limit, which matches everything, comes after the WAF rules. */
export function createSecurityPolicy({ requestsPerMinute, banSeconds, wafPreview }: Settings) {
  return new gcp.compute.SecurityPolicy('shop', {
    type: 'CLOUD_ARMOR',
    adaptiveProtectionConfig: { layer7DdosDefenseConfig: { enable: true, ruleVisibility: 'STANDARD' } },
    advancedOptionsConfig: { jsonParsing: 'STANDARD', logLevel: 'NORMAL' },
    rules: [
      ...wafRules.map((name, index) => ({
        priority: 1000 + index,
        description: `WAF: ${name}`,
        action: 'deny(403)',
        preview: wafPreview,
        match: { expr: { expression: `evaluatePreconfiguredWaf('${name}-v33-stable', {'sensitivity': 1})` } },
      })),
      {
        priority: 5000,
        description: 'Bans IP addresses that send too much',
        action: 'rate_based_ban',
        match: EVERYBODY,
        rateLimitOptions: {
          enforceOnKey: 'IP',
          conformAction: 'allow',
          exceedAction: 'deny(429)',
          rateLimitThreshold: { count: requestsPerMinute, intervalSec: 60 },
          banDurationSec: banSeconds,
        },
      },
      { priority: 2_147_483_647, description: 'Everything else', action: 'allow', match: EVERYBODY },
    ],
  });
}

export function createEdge(settings: Settings) {
  const address = new gcp.compute.GlobalAddress('edge', { addressType: 'EXTERNAL' });
  const sslPolicy = new gcp.compute.SSLPolicy('shop', { profile: 'MODERN', minTlsVersion: 'TLS_1_2' });
  return { address, sslPolicy, securityPolicy: createSecurityPolicy(settings) };
}
