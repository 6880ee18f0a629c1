import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { AaaaRecord, ARecord, HostedZone, RecordTarget } from 'aws-cdk-lib/aws-route53';
import { CloudFrontTarget } from 'aws-cdk-lib/aws-route53-targets';
import type { Construct } from 'constructs';

/** IPv4 and IPv6 for the domain. */
export function addRecords(
  scope: Construct,
  recordName: string,
  { id, name }: { id: string; name: string },
  distribution: Distribution,
): void {
  const zone = HostedZone.fromHostedZoneAttributes(scope, 'Zone', { hostedZoneId: id, zoneName: name });
  const target = RecordTarget.fromAlias(new CloudFrontTarget(distribution));
  // A name with a dot at the end is complete: CDK does not add the zone's name.
  new ARecord(scope, 'Ipv4', { zone, recordName: `${recordName}.`, target });
  new AaaaRecord(scope, 'Ipv6', { zone, recordName: `${recordName}.`, target });
}
