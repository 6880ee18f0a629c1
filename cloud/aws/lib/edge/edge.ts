import path from 'node:path';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  type BehaviorOptions,
  CacheCookieBehavior,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  FunctionCode,
  FunctionEventType,
  FunctionRuntime,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  Function as ViewerFunction,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { VpcOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import { Port, SecurityGroup, type Vpc } from 'aws-cdk-lib/aws-ec2';
import type { ApplicationLoadBalancer } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { CfnHealthCheck, HostedZone } from 'aws-cdk-lib/aws-route53';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { CfnProtection } from 'aws-cdk-lib/aws-shield';
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { serviceNames, services } from '../../../../packages/shop/src/services';
import type { Choices } from '../settings';
import type { WebAcl } from '../web-acl';
import { addRecords } from './records';

interface EdgeProps {
  vpc: Vpc;
  loadBalancer: ApplicationLoadBalancer;
  certificate: ICertificate | undefined;
  choices: Choices;
  webAcl: WebAcl;
  accessLogs: IBucket;
  logs: LogGroupProps;
}

/** CloudFront keeps errors for 10 s by default, and gives one client's error to all others. */
const CACHEABLE_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];

/** In the table of services, a path with a slash at the end holds files. */
const filePaths = serviceNames.flatMap((name) => services[name].paths).filter((prefix) => prefix.endsWith('/'));

/** CloudFront, the only part that the internet can reach. */
export class Edge extends Construct {
  readonly distribution: Distribution;
  readonly healthCheck: CfnHealthCheck;
  readonly url: string;

  constructor(scope: Construct, id: string, props: EdgeProps) {
    super(scope, id);
    const { choices, certificate } = props;
    const api = this.apiBehavior(props);
    this.distribution = new Distribution(this, 'Distribution', {
      comment: 'Evermos shop',
      defaultBehavior: api,
      additionalBehaviors: {
        // People type this address.
        '/docs*': { ...api, viewerProtocolPolicy: ViewerProtocolPolicy.REDIRECT_TO_HTTPS },
        ...Object.fromEntries(
          filePaths.map((prefix) => [`${prefix}*`, { ...api, cachePolicy: this.filesCachePolicy() }]),
        ),
      },
      errorResponses: CACHEABLE_ERRORS.map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(0) })),
      webAclId: props.webAcl.acl.attrArn,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_ALL,
      enableLogging: true,
      logBucket: props.accessLogs,
      logFilePrefix: 'cloudfront/',
      ...(choices.domainName && certificate
        ? {
            domainNames: [choices.domainName],
            certificate,
            minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
          }
        : {}),
    });
    const host = choices.domainName ?? this.distribution.distributionDomainName;
    this.url = `https://${host}`;
    this.healthCheck = healthCheckOf(this, host);
    allowOnlyCloudFront(this, props, this.distribution);
    if (choices.domainName && choices.hostedZone)
      addRecords(this, choices.domainName, choices.hostedZone, this.distribution);
    if (choices.hasShieldAdvanced) this.protect();

    Validations.of(this.distribution).acknowledge(
      {
        id: 'AwsSolutions-CFR1',
        reason: 'The shop sells everywhere. Restricting countries is a decision of the operator.',
      },
      ...(certificate
        ? []
        : [
            {
              id: 'AwsSolutions-CFR4',
              reason: "Without a domain name, CloudFront's own certificate has its own policy.",
            },
          ]),
    );
  }

  private apiBehavior({ loadBalancer, certificate }: EdgeProps): BehaviorOptions {
    const viewerIp = new ViewerFunction(this, 'ViewerIp', {
      code: FunctionCode.fromFile({ filePath: path.join(__dirname, 'viewer-ip.js') }),
      runtime: FunctionRuntime.JS_2_0,
    });
    return {
      origin: VpcOrigin.withApplicationLoadBalancer(loadBalancer, {
        protocolPolicy: certificate ? OriginProtocolPolicy.HTTPS_ONLY : OriginProtocolPolicy.HTTP_ONLY,
        readTimeout: Duration.seconds(30),
      }),
      allowedMethods: AllowedMethods.ALLOW_ALL,
      // As in docker-compose.tls.yml: an API call over http has already shown its token to the network.
      viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
      cachePolicy: CachePolicy.CACHING_DISABLED,
      originRequestPolicy: OriginRequestPolicy.ALL_VIEWER,
      responseHeadersPolicy: this.httpsOnly(),
      functionAssociations: [{ eventType: FunctionEventType.VIEWER_REQUEST, function: viewerIp }],
      // Nginx compresses.
      compress: false,
    };
  }

  /** The same header as in nginx/templates, which cannot see that the client uses https. */
  private httpsOnly(): ResponseHeadersPolicy {
    return new ResponseHeadersPolicy(this, 'HttpsOnly', {
      securityHeadersBehavior: {
        strictTransportSecurity: {
          accessControlMaxAge: Duration.seconds(63_072_000),
          includeSubdomains: true,
          override: true,
        },
      },
    });
  }

  /** Files never change, but they are deleted: an hour later, they are gone from the cache. */
  private filesCachePolicy(): CachePolicy {
    return new CachePolicy(this, 'Files', {
      minTtl: Duration.seconds(0),
      defaultTtl: Duration.seconds(0),
      maxTtl: Duration.hours(1),
      queryStringBehavior: CacheQueryStringBehavior.none(),
      cookieBehavior: CacheCookieBehavior.none(),
      // The response depends on it (CORS).
      headerBehavior: CacheHeaderBehavior.allowList('Origin'),
    });
  }

  /** Shield Advanced judges by the health check how much an attack harms. */
  private protect(): void {
    const region = '';
    new CfnProtection(this, 'Shield', {
      name: 'evermos-cloudfront',
      resourceArn: Stack.of(this).formatArn({
        service: 'cloudfront',
        region,
        resource: 'distribution',
        resourceName: this.distribution.distributionId,
      }),
      healthCheckArns: [
        Stack.of(this).formatArn({
          service: 'route53',
          region,
          account: '',
          resource: 'healthcheck',
          resourceName: this.healthCheck.attrHealthCheckId,
        }),
      ],
    });
  }
}

/** The certificate of the domain: made in its zone, or an existing one. */
export function certificateFor(scope: Construct, choices: Choices): ICertificate | undefined {
  const { domainName, hostedZone, certificateArn } = choices;
  if (!domainName) return undefined;
  if (certificateArn) return Certificate.fromCertificateArn(scope, 'Certificate', certificateArn);
  if (!hostedZone) return undefined;
  const zone = HostedZone.fromHostedZoneAttributes(scope, 'CertificateZone', {
    hostedZoneId: hostedZone.id,
    zoneName: hostedZone.name,
  });
  return new Certificate(scope, 'Certificate', { domainName, validation: CertificateValidation.fromDns(zone) });
}

function healthCheckOf(scope: Construct, host: string): CfnHealthCheck {
  return new CfnHealthCheck(scope, 'HealthCheck', {
    healthCheckConfig: {
      type: 'HTTPS',
      fullyQualifiedDomainName: host,
      port: 443,
      resourcePath: '/health',
      requestInterval: 30,
      failureThreshold: 3,
      enableSni: true,
    },
  });
}

/** CloudFront creates the security group of its connections itself, so its id is only known afterwards. */
function allowOnlyCloudFront(
  scope: Construct,
  { vpc, loadBalancer, certificate, logs }: EdgeProps,
  distribution: Distribution,
): void {
  const groupName = 'CloudFront-VPCOrigins-Service-SG';
  const lookup = new AwsCustomResource(scope, 'CloudFrontGroup', {
    onCreate: {
      service: 'EC2',
      action: 'describeSecurityGroups',
      parameters: {
        Filters: [
          { Name: 'vpc-id', Values: [vpc.vpcId] },
          { Name: 'group-name', Values: [groupName] },
        ],
      },
      outputPaths: ['SecurityGroups.0.GroupId'],
      physicalResourceId: PhysicalResourceId.of(groupName),
    },
    policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: AwsCustomResourcePolicy.ANY_RESOURCE }),
    installLatestAwsSdk: false,
    logGroup: new LogGroup(scope, 'CloudFrontGroupLogs', logs),
  });
  lookup.node.addDependency(distribution);
  const group = SecurityGroup.fromSecurityGroupId(
    scope,
    'CloudFront',
    lookup.getResponseField('SecurityGroups.0.GroupId'),
  );
  loadBalancer.connections.allowFrom(group, certificate ? Port.HTTPS : Port.HTTP);
  Validations.of(lookup).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'ec2:DescribeSecurityGroups, which reads, has no resource-level permissions.',
  });
}
