import { Duration, RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib';
import type { Vpc } from 'aws-cdk-lib/aws-ec2';
import { AccessKey, ManagedPolicy, PolicyStatement, User } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { anythingOf } from './acknowledge';

interface UploadsProps {
  vpc: Vpc;
  accessLogs: IBucket | undefined;
  keySerial: number;
}

/**
 * The bucket of the uploads, and the access key with which the services use it. A key and not the tasks' role, because
 * packages/core/src/storage/s3-storage.ts requires one. The key works only from inside the VPC.
 */
export class Uploads extends Construct {
  readonly bucket: Bucket;
  /** JSON with `accessKeyId` and `secretAccessKey`. */
  readonly secret: Secret;

  constructor(scope: Construct, id: string, { vpc, accessLogs, keySerial }: UploadsProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [
        { noncurrentVersionExpiration: Duration.days(35), abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      ...(accessLogs ? { serverAccessLogsBucket: accessLogs, serverAccessLogsPrefix: 'uploads/' } : {}),
      removalPolicy: RemovalPolicy.RETAIN,
    });
    if (!accessLogs) {
      Validations.of(this.bucket).acknowledge({
        id: 'AwsSolutions-S1',
        reason: 'Only the services have a key, and they log every request for a file.',
      });
    }
    const conditions = { StringEquals: { 'aws:SourceVpc': vpc.vpcId } };
    const objects = this.bucket.arnForObjects('*');
    const policy = new ManagedPolicy(this, 'Policy', {
      description: 'What packages/core/src/storage/s3-storage.ts calls',
      statements: [
        new PolicyStatement({
          actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
          resources: [objects],
          conditions,
        }),
        new PolicyStatement({ actions: ['s3:ListBucket'], resources: [this.bucket.bucketArn], conditions }),
      ],
    });
    const user = new User(this, 'User', { managedPolicies: [policy] });
    const key = new AccessKey(this, 'Key', { user, serial: keySerial });
    this.secret = new Secret(this, 'AccessKey', {
      description: 'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY of the services',
      secretObjectValue: {
        // Not a secret by itself.
        accessKeyId: SecretValue.unsafePlainText(key.accessKeyId),
        secretAccessKey: key.secretAccessKey,
      },
    });
    Validations.of(policy).acknowledge({
      id: anythingOf(this.bucket, '/*'),
      reason: 'The objects of this one bucket: the services choose their names.',
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'IAM has no rotation for it that the services would notice. README.md: how to replace the key.',
    });
  }
}
