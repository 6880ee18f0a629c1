import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { CfnReplicationGroup } from 'aws-cdk-lib/aws-elasticache';
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { serviceNames } from '../../../packages/shop/src/services';
import type { Database } from './database';
import type { Edge } from './edge/edge';
import { MAX_CONNECTIONS } from './fleet';
import type { Gateway } from './gateway';
import type { Choices } from './settings';
import type { ShopServices } from './shop-services';
import type { WebAcl } from './web-acl';

interface AlarmsProps {
  choices: Choices;
  edge: Edge;
  webAcl: WebAcl;
  gateway: Gateway;
  shop: ShopServices;
  database: Database;
  cache: CfnReplicationGroup;
}

interface Rule {
  metric: IMetric;
  above?: number;
  below?: number;
  /** How many periods in a row. */
  periods?: number;
  /** What the mail says: what it means, and where to look. */
  meaning: string;
}

const period = Duration.minutes(1);
const GIB = 1024 ** 3;

/** CloudWatch's counterpart of monitoring/alerting_rules.yml: each alarm sends a mail when it starts and when it ends. */
export class Alarms extends Construct {
  readonly topic: Topic;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', { displayName: 'Evermos shop: alarms', enforceSSL: true });
    if (props.choices.alarmEmail) this.topic.addSubscription(new EmailSubscription(props.choices.alarmEmail));
    this.attacks();
    this.requests();
    this.tasks();
    this.data();
  }

  private attacks(): void {
    const { choices, edge, webAcl } = this.props;
    this.add('WafBlocked', {
      metric: new Metric({
        namespace: 'AWS/WAFV2',
        metricName: 'BlockedRequests',
        dimensionsMap: { WebACL: webAcl.acl.name ?? '', Rule: 'ALL' },
        statistic: Stats.SUM,
        period: Duration.minutes(5),
      }),
      above: 1000,
      meaning: 'WAF blocks many requests: see the sampled requests of the web ACL.',
    });
    this.add('Unreachable', {
      metric: new Metric({
        namespace: 'AWS/Route53',
        metricName: 'HealthCheckStatus',
        dimensionsMap: { HealthCheckId: edge.healthCheck.attrHealthCheckId },
        statistic: Stats.MINIMUM,
        period,
      }),
      below: 1,
      periods: 2,
      meaning: 'The shop cannot be reached from the internet.',
    });
    // Only protected resources have these metrics.
    if (!choices.hasShieldAdvanced) return;
    const resourceArn = Stack.of(this).formatArn({
      service: 'cloudfront',
      region: '',
      resource: 'distribution',
      resourceName: edge.distribution.distributionId,
    });
    this.add('DDoSDetected', {
      metric: new Metric({
        namespace: 'AWS/DDoSProtection',
        metricName: 'DDoSDetected',
        dimensionsMap: { ResourceArn: resourceArn },
        statistic: Stats.MAXIMUM,
        period,
      }),
      above: 0,
      meaning: 'Shield has detected a DDoS attack. Shield mitigates it; README.md says what else to do.',
    });
  }

  private requests(): void {
    const { gateway } = this.props;
    const options = { period, statistic: Stats.SUM };
    this.add('LoadBalancer5xx', {
      metric: gateway.loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, options),
      above: 10,
      periods: 3,
      meaning: 'The load balancer has no healthy Nginx, or one closed the connection.',
    });
    this.add('Gateway5xx', {
      metric: gateway.loadBalancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, options),
      above: 50,
      periods: 3,
      meaning: "Nginx or a service responds with errors: see the services' logs.",
    });
    this.add('GatewayUnhealthy', {
      metric: gateway.targets.metrics.unhealthyHostCount({ period, statistic: Stats.MAXIMUM }),
      above: 0,
      periods: 5,
      meaning: 'A task of Nginx does not become healthy.',
    });
  }

  private tasks(): void {
    const { gateway, shop } = this.props;
    const all = { gateway: gateway.service, ...shop.of };
    for (const name of ['gateway', ...serviceNames] as const) {
      this.add(`${name}Cpu`, {
        metric: all[name].metricCpuUtilization({ period }),
        above: 90,
        periods: 10,
        meaning: `${name} needs more CPU than autoscaling gives it.`,
      });
      this.add(`${name}Memory`, {
        metric: all[name].metricMemoryUtilization({ period }),
        above: 90,
        periods: 10,
        meaning: `${name} is about to run out of memory.`,
      });
    }
  }

  private data(): void {
    const { database, cache } = this.props;
    const { instance, replica } = database;
    const options = { period };
    this.add('DatabaseCpu', {
      metric: instance.metricCPUUtilization(options),
      above: 85,
      periods: 10,
      meaning: 'MySQL is busy: see its slow query log and Database Insights.',
    });
    this.add('DatabaseStorage', {
      metric: instance.metricFreeStorageSpace({ period, statistic: Stats.MINIMUM }),
      below: 10 * GIB,
      periods: 5,
      meaning: 'MySQL has less than 10 GiB of free storage, although it grows by itself.',
    });
    this.add('DatabaseConnections', {
      metric: instance.metricDatabaseConnections({ period, statistic: Stats.MAXIMUM }),
      above: Math.floor(MAX_CONNECTIONS * 0.9),
      periods: 5,
      meaning: 'MySQL is about to run out of connections.',
    });
    this.add('ReplicaStorage', {
      metric: replica.metricFreeStorageSpace({ period, statistic: Stats.MINIMUM }),
      below: 10 * GIB,
      periods: 5,
      meaning: 'The read replica has less than 10 GiB of free storage.',
    });
    this.add('ReplicaLag', {
      metric: replica.metric('ReplicaLag', { period, statistic: Stats.MAXIMUM }),
      above: 300,
      periods: 5,
      meaning: 'Reports are more than five minutes behind.',
    });
    this.add('CacheCpu', {
      metric: new Metric({
        namespace: 'AWS/ElastiCache',
        metricName: 'EngineCPUUtilization',
        dimensionsMap: { CacheClusterId: `${cache.ref}-001` },
        period,
      }),
      above: 80,
      periods: 10,
      meaning: 'Valkey is busy. The shop works without it, only slower.',
    });
  }

  private add(id: string, { metric, above, below, periods = 1, meaning }: Rule): void {
    const isUpper = above !== undefined;
    const alarm = new Alarm(this, id, {
      metric,
      threshold: isUpper ? above : (below ?? 0),
      comparisonOperator: isUpper ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      alarmDescription: meaning,
    });
    const send = new SnsAction(this.topic);
    alarm.addAlarmAction(send);
    alarm.addOkAction(send);
  }
}
