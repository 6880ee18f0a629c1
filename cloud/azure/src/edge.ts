import * as cdn from '@pulumi/azure-native/cdn';
import * as frontdoor from '@pulumi/azure-native/frontdoor';
import * as monitor from '@pulumi/azure-native/monitor';
import * as operationalinsights from '@pulumi/azure-native/operationalinsights';
import * as pulumi from '@pulumi/pulumi';
import { services } from '../../../packages/shop/src/services';
import type { Settings } from './settings';

/** The name of the gateway's private link service, which Kubernetes creates. */
export const PRIVATE_LINK = 'shop-gateway';

interface Place {
  name: pulumi.Output<string>;
  id: pulumi.Output<string>;
  location: pulumi.Output<string>;
}

/** Front Door with the WAF. It reaches the gateway through a private link, so the gateway has no public address. */
export function createEdge(settings: Settings, resourceGroup: Place) {
  const resourceGroupName = resourceGroup.name;
  const profile = new cdn.Profile('shop', {
    resourceGroupName,
    location: 'Global',
    sku: { name: 'Premium_AzureFrontDoor' },
    // A service allows 60 s for a whole request.
    originResponseTimeoutSeconds: 65,
  });
  const inProfile = { resourceGroupName, profileName: profile.name };
  const endpoint = new cdn.AFDEndpoint('shop', { ...inProfile, location: 'Global', enabledState: 'Enabled' });
  const domain = new cdn.AFDCustomDomain('shop', {
    ...inProfile,
    hostName: settings.domain,
    tlsSettings: { certificateType: 'ManagedCertificate', minimumTlsVersion: 'TLS12' },
  });
  const policy = createWafPolicy(settings, resourceGroupName);
  new cdn.SecurityPolicy('shop', {
    ...inProfile,
    parameters: {
      type: 'WebApplicationFirewall',
      wafPolicy: { id: policy.id },
      associations: [{ domains: [{ id: endpoint.id }, { id: domain.id }], patternsToMatch: ['/*'] }],
    },
  });
  const originGroup = new cdn.AFDOriginGroup('gateway', {
    ...inProfile,
    sessionAffinityState: 'Disabled',
    loadBalancingSettings: { sampleSize: 4, successfulSamplesRequired: 2, additionalLatencyInMilliseconds: 50 },
    // The same as the readiness probe of the gateway's pods.
    healthProbeSettings: {
      probePath: '/openapi.json',
      probeProtocol: 'Http',
      probeRequestType: 'HEAD',
      probeIntervalInSeconds: 30,
    },
  });
  if (settings.gatewayIsUp) createRoutes(settings, resourceGroup, { inProfile, endpoint, domain, originGroup });
  logRequests(resourceGroupName, profile);
  return { profile, endpoint, domain, policy };
}

function createWafPolicy({ requestsPerMinute, wafBlocks }: Settings, resourceGroupName: pulumi.Input<string>) {
  return new frontdoor.Policy('shop', {
    resourceGroupName,
    // Only letters and digits.
    policyName: 'shopwaf',
    location: 'Global',
    sku: { name: 'Premium_AzureFrontDoor' },
    policySettings: {
      enabledState: 'Enabled',
      mode: wafBlocks ? 'Prevention' : 'Detection',
      requestBodyCheck: 'Enabled',
      customBlockResponseStatusCode: 403,
    },
    customRules: {
      rules: [
        {
          name: 'RequestsPerMinute',
          priority: 100,
          ruleType: 'RateLimitRule',
          action: 'Block',
          enabledState: 'Enabled',
          rateLimitDurationInMinutes: 1,
          rateLimitThreshold: requestsPerMinute,
          groupBy: [{ variableName: 'SocketAddr' }],
          // A rule needs a condition. This one is true for every request.
          matchConditions: [{ matchVariable: 'RequestUri', operator: 'Contains', matchValue: ['/'] }],
        },
      ],
    },
    managedRules: {
      managedRuleSets: [
        { ruleSetType: 'Microsoft_DefaultRuleSet', ruleSetVersion: '2.1', ruleSetAction: 'Block' },
        { ruleSetType: 'Microsoft_BotManagerRuleSet', ruleSetVersion: '1.1' },
      ],
    },
  });
}

interface Parts {
  inProfile: { resourceGroupName: pulumi.Input<string>; profileName: pulumi.Input<string> };
  endpoint: cdn.AFDEndpoint;
  domain: cdn.AFDCustomDomain;
  originGroup: cdn.AFDOriginGroup;
}

function createRoutes(
  { domain: host }: Settings,
  place: Place,
  { inProfile, endpoint, domain, originGroup }: Parts,
): void {
  const origin = new cdn.AFDOrigin('gateway', {
    ...inProfile,
    originGroupName: originGroup.name,
    enabledState: 'Enabled',
    hostName: host,
    originHostHeader: host,
    httpPort: 80,
    httpsPort: 443,
    priority: 1,
    weight: 100,
    enforceCertificateNameCheck: true,
    sharedPrivateLinkResource: {
      privateLink: {
        id: pulumi.interpolate`${place.id}/providers/Microsoft.Network/privateLinkServices/${PRIVATE_LINK}`,
      },
      privateLinkLocation: place.location,
      requestMessage: 'Front Door of the shop',
    },
  });
  const ruleSet = new cdn.RuleSet('headers', { ...inProfile, ruleSetName: 'headers' });
  // The gateway sends it only if the connection to itself is encrypted.
  const hsts = new cdn.Rule('hsts', {
    ...inProfile,
    ruleSetName: ruleSet.name,
    ruleName: 'hsts',
    order: 1,
    conditions: [],
    actions: [
      {
        name: 'ModifyResponseHeader',
        parameters: {
          typeName: 'DeliveryRuleHeaderActionParameters',
          headerAction: 'Overwrite',
          headerName: 'Strict-Transport-Security',
          value: 'max-age=63072000; includeSubDomains',
        },
      },
    ],
    matchProcessingBehavior: 'Continue',
  });
  const route = (name: string, patternsToMatch: string[], rest: Partial<cdn.RouteArgs>) =>
    new cdn.Route(
      name,
      {
        ...inProfile,
        endpointName: endpoint.name,
        enabledState: 'Enabled',
        customDomains: [{ id: domain.id }],
        originGroup: { id: originGroup.id },
        ruleSets: [{ id: ruleSet.id }],
        patternsToMatch,
        supportedProtocols: ['Http', 'Https'],
        httpsRedirect: 'Enabled',
        // Inside the private link. The gateway's pods have no certificate.
        forwardingProtocol: 'HttpOnly',
        linkToDefaultDomain: 'Disabled',
        ...rest,
      },
      { dependsOn: [origin, hsts] },
    );
  route('api', ['/*'], {});
  // Front Door invents a lifetime for responses without Cache-Control, so only paths that always have it are cached.
  const uploads = services.file.paths.filter((path) => path.endsWith('/')).map((path) => `${path}*`);
  route('uploads', uploads, { cacheConfiguration: { queryStringCachingBehavior: 'UseQueryString' } });
}

function logRequests(resourceGroupName: pulumi.Input<string>, profile: cdn.Profile): void {
  const workspace = new operationalinsights.Workspace('shop', {
    resourceGroupName,
    sku: { name: 'PerGB2018' },
    retentionInDays: 30,
  });
  new monitor.DiagnosticSetting('edge', {
    name: 'edge',
    resourceUri: profile.id,
    workspaceId: workspace.id,
    logs: ['FrontDoorWebApplicationFirewallLog', 'FrontDoorAccessLog'].map((category) => ({ category, enabled: true })),
  });
}
