import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import type { DockerImageAsset } from 'aws-cdk-lib/aws-ecr-assets';
import {
  Capability,
  ContainerDependencyCondition,
  ContainerImage,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  type Secret as TaskSecret,
} from 'aws-cdk-lib/aws-ecs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeTask } from './acknowledge';
import { STOP_TIMEOUT_SECONDS } from './fleet';
import { CA_FILE, rdsCertificates } from './rds-certificates';
import { dockerfileHealthCheck } from './repository';

interface ShopTaskProps {
  name: string;
  image: DockerImageAsset;
  logGroup: LogGroup;
  size: { cpu: number; memoryLimitMiB: number };
  environment: Record<string, string>;
  secrets: Record<string, TaskSecret>;
  /** Absent: the task runs `entryPoint` and stops. */
  port?: number;
  entryPoint?: string[];
  /** Where uploads are buffered on their way to the bucket: on the task's disk. */
  uploadPath?: string;
}

const script = readFileSync(path.join(__dirname, '../containers/prepare-volumes.cjs'), 'utf8');

/** A task of one of the product's images: not root, a read-only root file system, no capabilities. */
export class ShopTask extends Construct {
  readonly definition: FargateTaskDefinition;

  constructor(scope: Construct, id: string, props: ShopTaskProps) {
    super(scope, id);
    const { name, uploadPath, port } = props;
    this.definition = new FargateTaskDefinition(this, 'Definition', props.size);
    const volumes = [
      { sourceVolume: 'tmp', containerPath: '/tmp' },
      { sourceVolume: 'certificates', containerPath: path.dirname(CA_FILE) },
      ...(uploadPath ? [{ sourceVolume: 'uploads', containerPath: uploadPath }] : []),
    ];
    for (const { sourceVolume } of volumes) this.definition.addVolume({ name: sourceVolume });
    const image = ContainerImage.fromDockerImageAsset(props.image);
    const logging = LogDrivers.awsLogs({ logGroup: props.logGroup, streamPrefix: name });

    const prepare = this.definition.addContainer('prepare-volumes', {
      image,
      logging,
      essential: false,
      user: '0:0',
      readonlyRootFilesystem: true,
      entryPoint: ['node', '-e'],
      command: [script],
      environment: { CA_FILE, CA: rdsCertificates(), ...(uploadPath ? { UPLOADS: uploadPath } : {}) },
    });
    const check = dockerfileHealthCheck();
    const container = this.definition.addContainer(name, {
      image,
      logging,
      user: '1000:1000',
      readonlyRootFilesystem: true,
      linuxParameters: new LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
      environment: { ...props.environment, DB_TLS: CA_FILE },
      secrets: props.secrets,
      stopTimeout: Duration.seconds(STOP_TIMEOUT_SECONDS),
      ...(props.entryPoint ? { entryPoint: props.entryPoint } : {}),
      ...(port
        ? {
            portMappings: [{ containerPort: port }],
            healthCheck: {
              command: ['CMD', ...check.command],
              interval: Duration.seconds(check.intervalSeconds),
              timeout: Duration.seconds(check.timeoutSeconds),
              startPeriod: Duration.seconds(check.startPeriodSeconds),
              retries: check.retries,
            },
          }
        : {}),
    });
    for (const target of [prepare, container]) {
      target.addMountPoints(...volumes.map((volume) => ({ ...volume, readOnly: false })));
    }
    container.addContainerDependencies({ container: prepare, condition: ContainerDependencyCondition.SUCCESS });
    container.linuxParameters?.dropCapabilities(Capability.ALL);
    acknowledgeTask(this.definition);
  }
}
