import * as gcp from '@pulumi/gcp';
import * as pulumi from '@pulumi/pulumi';
import type { Settings } from './settings';

/** A bucket that the services access as S3, with an HMAC key of a service account that can do nothing else. */
export function createUploads({ project, region }: Settings) {
  const bucket = new gcp.storage.Bucket('uploads', {
    name: `${project}-shop-uploads`,
    location: region,
    uniformBucketLevelAccess: true,
    publicAccessPrevention: 'enforced',
    versioning: { enabled: true },
    // A file that was deleted or overwritten by mistake can be restored for a month.
    lifecycleRules: [{ action: { type: 'Delete' }, condition: { daysSinceNoncurrentTime: 30, withState: 'ARCHIVED' } }],
    softDeletePolicy: { retentionDurationSeconds: 7 * 24 * 3600 },
    forceDestroy: false,
  });
  const account = new gcp.serviceaccount.Account('uploads', {
    accountId: 'shop-uploads',
    displayName: 'Uploads of the shop',
  });
  new gcp.storage.BucketIAMMember('uploads', {
    bucket: bucket.name,
    role: 'roles/storage.objectUser',
    member: pulumi.interpolate`serviceAccount:${account.email}`,
  });
  const key = new gcp.storage.HmacKey('uploads', { serviceAccountEmail: account.email });
  return { bucket, key };
}
