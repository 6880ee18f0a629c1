import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceNames, services } from '../../../packages/shop/src/services';
import { EvermosStack } from '../lib/evermos-stack';
import { DB_POOL_SIZE, FLEET_PROCESSES } from '../lib/fleet';
import { requestsPerWindow } from '../lib/web-acl';
import { CHOSEN, type Resource, resourcesOf, templateOf, theOnly, ZONE } from './support';

const template = templateOf(EvermosStack);
const withDomain = templateOf(EvermosStack, {
  ...CHOSEN,
  ...ZONE,
  shieldAdvanced: 'true',
  alarmEmail: 'ops@shop.test',
});

test('nothing but CloudFront can be reached from the internet', () => {
  assert.equal(theOnly(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer').Scheme, 'internal');
  for (const { NetworkConfiguration } of resourcesOf(template, 'AWS::ECS::Service')) {
    assert.equal(NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp, 'DISABLED');
  }
  for (const { PubliclyAccessible } of resourcesOf(template, 'AWS::RDS::DBInstance'))
    assert.equal(PubliclyAccessible, false);
  for (const { MapPublicIpOnLaunch } of resourcesOf(template, 'AWS::EC2::Subnet'))
    assert.equal(MapPublicIpOnLaunch, false);
  for (const { PublicAccessBlockConfiguration: block } of resourcesOf(template, 'AWS::S3::Bucket')) {
    assert.deepEqual(Object.values(block), [true, true, true, true]);
  }
  const inline = resourcesOf(template, 'AWS::EC2::SecurityGroup').flatMap(
    ({ SecurityGroupIngress = [] }) => SecurityGroupIngress,
  );
  const rules: Resource[] = [...inline, ...resourcesOf(template, 'AWS::EC2::SecurityGroupIngress')];
  for (const rule of rules) assert.ok(rule.SourceSecurityGroupId, `from addresses: ${JSON.stringify(rule)}`);
});

test('data is in subnets without a route to the internet', () => {
  const isolated = Object.entries(template.findResources('AWS::EC2::Subnet'))
    .filter(([, { Properties }]) => Properties.Tags.some(({ Value }: Resource) => Value === 'Isolated'))
    .map(([id]) => id);
  const groups = [
    ...resourcesOf(template, 'AWS::RDS::DBSubnetGroup'),
    theOnly(template, 'AWS::ElastiCache::SubnetGroup'),
  ];
  assert.equal(groups.length, 3);
  for (const { SubnetIds } of groups)
    assert.deepEqual(SubnetIds.map(({ Ref }: Resource) => Ref).sort(), isolated.sort());
});

test('only the services reach the primary, and only the readers of reports reach the replica', () => {
  const allowed = (id: string) =>
    resourcesOf(template, 'AWS::EC2::SecurityGroupIngress')
      .filter(({ GroupId }) => GroupId['Fn::GetAtt'][0].startsWith(id))
      .map(
        ({ SourceSecurityGroupId, FromPort }) =>
          `${SourceSecurityGroupId['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, '')}:${FromPort}`,
      );
  assert.deepEqual(allowed('NetworkDatabase'), ['NetworkServices:3306']);
  assert.deepEqual(allowed('NetworkReplica'), ['NetworkReports:3306']);
  assert.deepEqual(allowed('NetworkCache'), ['NetworkServices:6379']);
  assert.deepEqual(
    allowed('NetworkServices').sort(),
    serviceNames.map((name) => `NetworkGateway:${services[name].port}`).sort(),
  );
  assert.deepEqual(allowed('NetworkGateway'), ['NetworkLoadBalancer:8000']);
});

test('MySQL is encrypted, in two zones, backed up, and protected from deletion', () => {
  const [primary = {}, replica = {}] = resourcesOf(template, 'AWS::RDS::DBInstance');
  assert.equal(primary.EngineVersion, '8.0.46');
  assert.equal(primary.MultiAZ, true);
  assert.equal(primary.StorageEncrypted, true);
  assert.ok(primary.BackupRetentionPeriod >= 7);
  assert.ok(replica.SourceDBInstanceIdentifier);
  for (const { DeletionProtection } of [primary, replica]) assert.equal(DeletionProtection, true);
  const { Parameters } = theOnly(template, 'AWS::RDS::DBParameterGroup');
  assert.equal(Parameters.require_secure_transport, '1');
  assert.ok(Number(Parameters.max_connections) > FLEET_PROCESSES * DB_POOL_SIZE);
});

test('another version of MySQL has its own parameter family', () => {
  const newer = templateOf(EvermosStack, { ...CHOSEN, mysqlVersion: '8.4.10' });
  assert.equal(theOnly(newer, 'AWS::RDS::DBParameterGroup').Family, 'mysql8.4');
});

test('Valkey is encrypted, needs a password, and has a second node', () => {
  const valkey = theOnly(template, 'AWS::ElastiCache::ReplicationGroup');
  assert.equal(valkey.TransitEncryptionEnabled, true);
  assert.equal(valkey.TransitEncryptionMode, 'required');
  assert.equal(valkey.AtRestEncryptionEnabled, true);
  assert.match(JSON.stringify(valkey.AuthToken), /resolve:secretsmanager/);
  assert.equal(valkey.AutomaticFailoverEnabled, true);
  assert.equal(valkey.MultiAZEnabled, true);
});

test('the key of the uploads works only inside the VPC, and only for this bucket', () => {
  const [policy = {}] = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter(({ Description }) =>
    /s3-storage/.test(Description),
  );
  const statements: Resource[] = policy.PolicyDocument.Statement;
  assert.deepEqual(statements.flatMap(({ Action }) => Action).sort(), [
    's3:DeleteObject',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
  ]);
  for (const { Condition, Resource: resource } of statements) {
    assert.ok(Condition.StringEquals['aws:SourceVpc'].Ref);
    assert.match(JSON.stringify(resource), /UploadsBucket/);
  }
});

test('the web ACL has what WAF requires of each rule', () => {
  const { Rules, Scope, DefaultAction, VisibilityConfig } = theOnly(template, 'AWS::WAFv2::WebACL');
  assert.equal(Scope, 'CLOUDFRONT');
  assert.deepEqual(DefaultAction, { Allow: {} });
  const complete = (config: Resource) =>
    config.CloudWatchMetricsEnabled && config.SampledRequestsEnabled && config.MetricName;
  assert.ok(complete(VisibilityConfig));
  assert.equal(new Set(Rules.map(({ Priority }: Resource) => Priority)).size, Rules.length);
  for (const rule of Rules as Resource[]) {
    assert.ok(complete(rule.VisibilityConfig), rule.Name);
    const isGroup = Boolean(rule.Statement.ManagedRuleGroupStatement);
    assert.deepEqual(rule.OverrideAction, isGroup ? { None: {} } : undefined, rule.Name);
    assert.equal(Boolean(rule.Action), !isGroup, rule.Name);
  }
  const common = Rules.find(({ Name }: Resource) => Name === 'AWSManagedRulesCommonRuleSet');
  assert.deepEqual(common.Statement.ManagedRuleGroupStatement.RuleActionOverrides, [
    { ActionToUse: { Count: {} }, Name: 'SizeRestrictions_BODY' },
  ]);
});

test("WAF's rate is what Nginx permits one client in five minutes", () => {
  const [{ Statement = {}, Action = {} }] = theOnly(template, 'AWS::WAFv2::WebACL').Rules;
  assert.equal(Statement.RateBasedStatement.Limit, (6 * 10 + 100) * 300);
  assert.equal(Statement.RateBasedStatement.AggregateKeyType, 'IP');
  assert.equal(Action.Block.CustomResponse.ResponseCode, 429);
  assert.equal(requestsPerWindow({ RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_UPLOADS_PER_SECOND: '4' }), 10 * 300);
});

test('CloudFront never caches the API or an error, and keeps files for at most an hour', () => {
  const { DistributionConfig: config } = theOnly(template, 'AWS::CloudFront::Distribution');
  const cachingDisabled = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
  assert.equal(config.DefaultCacheBehavior.CachePolicyId, cachingDisabled);
  assert.equal(config.DefaultCacheBehavior.ViewerProtocolPolicy, 'https-only');
  for (const { ErrorCachingMinTTL } of config.CustomErrorResponses) assert.equal(ErrorCachingMinTTL, 0);
  for (const status of [404, 500, 503])
    assert.ok(config.CustomErrorResponses.some(({ ErrorCode }: Resource) => ErrorCode === status));
  const cached = config.CacheBehaviors.filter(({ CachePolicyId }: Resource) => CachePolicyId !== cachingDisabled);
  assert.deepEqual(
    cached.map(({ PathPattern }: Resource) => PathPattern),
    ['/uploads/*'],
  );
  assert.equal(theOnly(template, 'AWS::CloudFront::CachePolicy').CachePolicyConfig.MaxTTL, 3600);
  assert.match(JSON.stringify(config.WebACLId), /WebAcl.*Arn/);
  for (const behavior of [config.DefaultCacheBehavior, ...config.CacheBehaviors])
    assert.equal(behavior.FunctionAssociations.length, 1);
});

test('a domain gets its certificate, records for IPv4 and IPv6, and https up to the load balancer', () => {
  const { DistributionConfig: config } = theOnly(withDomain, 'AWS::CloudFront::Distribution');
  assert.deepEqual(config.Aliases, ['api.shop.test']);
  assert.equal(config.ViewerCertificate.MinimumProtocolVersion, 'TLSv1.2_2021');
  const records = resourcesOf(withDomain, 'AWS::Route53::RecordSet');
  assert.deepEqual(records.map(({ Name, Type }) => `${Name} ${Type}`).sort(), [
    'api.shop.test. A',
    'api.shop.test. AAAA',
  ]);
  assert.equal(theOnly(withDomain, 'AWS::ElasticLoadBalancingV2::Listener').Protocol, 'HTTPS');
  const origin = theOnly(withDomain, 'AWS::CloudFront::VpcOrigin').VpcOriginEndpointConfig;
  assert.equal(origin.OriginProtocolPolicy, 'https-only');
  assert.equal(theOnly(template, 'AWS::ElasticLoadBalancingV2::Listener').Protocol, 'HTTP');
});

test('Route 53 asks for /health over https', () => {
  const { HealthCheckConfig: config } = theOnly(withDomain, 'AWS::Route53::HealthCheck');
  assert.deepEqual(
    [config.Type, config.ResourcePath, config.FullyQualifiedDomainName],
    ['HTTPS', '/health', 'api.shop.test'],
  );
});

test('Shield Advanced protects the distribution only if it was chosen', () => {
  assert.match(
    JSON.stringify(theOnly(withDomain, 'AWS::Shield::Protection').ResourceArn),
    /:cloudfront::.*distribution/,
  );
  template.resourceCountIs('AWS::Shield::Protection', 0);
  const names = (of: typeof template) => resourcesOf(of, 'AWS::CloudWatch::Alarm').map(({ MetricName }) => MetricName);
  assert.ok(names(withDomain).includes('DDoSDetected'));
  assert.ok(!names(template).includes('DDoSDetected'));
});

test('alarms cover attacks, errors, CPU and storage, and send a notification', () => {
  const alarms = resourcesOf(withDomain, 'AWS::CloudWatch::Alarm');
  const metrics = new Set(alarms.map(({ Namespace, MetricName }) => `${Namespace} ${MetricName}`));
  for (const metric of [
    'AWS/WAFV2 BlockedRequests',
    'AWS/DDoSProtection DDoSDetected',
    'AWS/Route53 HealthCheckStatus',
    'AWS/ApplicationELB HTTPCode_ELB_5XX_Count',
    'AWS/ApplicationELB HTTPCode_Target_5XX_Count',
    'AWS/ECS CPUUtilization',
    'AWS/RDS CPUUtilization',
    'AWS/RDS FreeStorageSpace',
    'AWS/RDS DatabaseConnections',
    'AWS/ElastiCache EngineCPUUtilization',
  ])
    assert.ok(metrics.has(metric), metric);
  for (const { AlarmActions, OKActions, AlarmDescription } of alarms) {
    assert.equal(AlarmActions.length + OKActions.length, 2);
    assert.ok(AlarmDescription);
  }
  assert.equal(theOnly(withDomain, 'AWS::SNS::Subscription').Endpoint, 'ops@shop.test');
});

test('the database and the uploads are backed up, and logs do not stay for ever', () => {
  const { BackupSelection } = theOnly(template, 'AWS::Backup::BackupSelection');
  assert.match(JSON.stringify(BackupSelection.Resources), /DatabaseMysql.*UploadsBucket/);
  assert.equal(theOnly(template, 'AWS::Backup::BackupPlan').BackupPlan.BackupPlanRule.length, 2);
  for (const { RetentionInDays } of resourcesOf(template, 'AWS::Logs::LogGroup')) assert.ok(RetentionInDays <= 90);
});
