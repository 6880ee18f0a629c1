import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnLoggingConfiguration, CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';
import { serviceNames } from '../../../packages/shop/src/services';
import { LOG_RETENTION } from './network';

const WINDOW_SECONDS = 300;
const NAME = 'evermos-web-acl';

/** AWS's own rule groups, cheapest first. */
const MANAGED_GROUPS = [
  'AWSManagedRulesAmazonIpReputationList',
  'AWSManagedRulesKnownBadInputsRuleSet',
  'AWSManagedRulesSQLiRuleSet',
  'AWSManagedRulesCommonRuleSet',
];

/** Rules that would block what the shop allows. They only count. */
const COUNTED_RULES: Readonly<Record<string, string[]>> = {
  // It blocks bodies of more than 8 KiB. An upload has up to 5 MiB, and Nginx has a limit.
  AWSManagedRulesCommonRuleSet: ['SizeRestrictions_BODY'],
};

/**
 * The most that Nginx lets one client do: the general bucket of each service, and the bucket of images. A client that sends more than
 * that is not a customer, and no request that Nginx would accept is blocked.
 */
export function requestsPerWindow(settings: Record<string, string>): number {
  const perSecond = Number(settings.RATE_LIMIT_PER_SECOND);
  const uploadsPerSecond = Number(settings.RATE_LIMIT_UPLOADS_PER_SECOND ?? perSecond * 10);
  return (perSecond * serviceNames.length + uploadsPerSecond) * WINDOW_SECONDS;
}

/** The web ACL of the CloudFront distribution. Must be in us-east-1. */
export class WebAcl extends Construct {
  readonly acl: CfnWebACL;

  constructor(scope: Construct, id: string, settings: Record<string, string>) {
    super(scope, id);
    const visibilityConfig = (metricName: string): CfnWebACL.VisibilityConfigProperty => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName,
    });
    const rateLimit: CfnWebACL.RuleProperty = {
      name: 'RateLimit',
      priority: 0,
      statement: {
        rateBasedStatement: {
          aggregateKeyType: 'IP',
          evaluationWindowSec: WINDOW_SECONDS,
          limit: requestsPerWindow(settings),
        },
      },
      action: { block: { customResponse: { responseCode: 429, customResponseBodyKey: 'rate-limited' } } },
      visibilityConfig: visibilityConfig('RateLimit'),
    };
    const managed = (name: string, index: number): CfnWebACL.RuleProperty => ({
      name,
      priority: index + 1,
      statement: {
        managedRuleGroupStatement: {
          vendorName: 'AWS',
          name,
          ruleActionOverrides: (COUNTED_RULES[name] ?? []).map((rule) => ({ name: rule, actionToUse: { count: {} } })),
        },
      },
      // A group has no `action`: its rules have their own, and this keeps them.
      overrideAction: { none: {} },
      visibilityConfig: visibilityConfig(name),
    });
    this.acl = new CfnWebACL(this, 'Acl', {
      name: NAME,
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibilityConfig(NAME),
      customResponseBodies: {
        // The same problem as Nginx's own 429 (nginx/templates).
        'rate-limited': {
          contentType: 'APPLICATION_JSON',
          content: JSON.stringify({
            type: '/docs/errors/rate_limited',
            title: 'Too Many Requests',
            status: 429,
            code: 'rate_limited',
            detail: 'Too many requests: slow down.',
          }),
        },
      },
      rules: [rateLimit, ...MANAGED_GROUPS.map(managed)],
    });
    const logs = new LogGroup(this, 'Logs', {
      // WAF requires this prefix.
      logGroupName: `aws-waf-logs-${Stack.of(this).stackName}`,
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const logArn = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `aws-waf-logs-${Stack.of(this).stackName}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    const logging = new CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: this.acl.attrArn,
      logDestinationConfigs: [logArn],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: [{ ActionCondition: { Action: 'BLOCK' } }, { ActionCondition: { Action: 'COUNT' } }],
          },
        ],
      },
    });
    logging.node.addDependency(logs);
  }
}
