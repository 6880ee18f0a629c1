import path from 'node:path';
import { FileSystem } from 'aws-cdk-lib';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { Construct } from 'constructs';
import { type ServiceName, serviceNames } from '../../../packages/shop/src/services';
import { nginxImage, repoRoot } from './repository';

const platform = Platform.LINUX_AMD64;

/** The six images of the product. Their names are hashes of their sources, so an unchanged image is not built again. */
export class ServiceImages extends Construct {
  readonly of: Readonly<Record<ServiceName, DockerImageAsset>>;

  constructor(scope: Construct, id: string, gitRevision: string) {
    super(scope, id);
    const build = (service: ServiceName) =>
      new DockerImageAsset(this, service, {
        directory: repoRoot,
        assetName: `shop-${service}`,
        buildArgs: { SERVICE: service, GIT_REVISION: gitRevision },
        platform,
      });
    this.of = Object.fromEntries(serviceNames.map((name) => [name, build(name)])) as Record<
      ServiceName,
      DockerImageAsset
    >;
  }
}

/** The product's backups, which only Kubernetes needs: on Fargate, RDS and AWS Backup make them. */
export function backupImage(scope: Construct): DockerImageAsset {
  return new DockerImageAsset(scope, 'Backup', {
    directory: repoRoot,
    assetName: 'shop-backup',
    target: 'backup',
    platform,
  });
}

/** Nginx with the product's own configuration from `nginx/`. */
export function gatewayImage(scope: Construct): DockerImageAsset {
  const configuration = path.join(repoRoot, 'nginx');
  return new DockerImageAsset(scope, 'Image', {
    directory: path.join(__dirname, '../containers/gateway'),
    assetName: 'shop-gateway',
    buildArgs: { NGINX_IMAGE: nginxImage() },
    buildContexts: { configuration },
    // CDK hashes only the path of another build context.
    extraHash: FileSystem.fingerprint(configuration),
    invalidation: { buildContexts: false },
    platform,
  });
}
