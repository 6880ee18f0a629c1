import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Cluster, ContainerInsights, FargateService, Secret as TaskSecret } from 'aws-cdk-lib/aws-ecs';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import { optionalKeysOf, type ServiceName, serviceNames, services } from '../../../packages/shop/src/services';
import type { Cache } from './cache';
import type { Database } from './database';
import { DB_POOL_SIZE, FLEET_PROCESSES, fargateSize, MAX_HEALTHY_PERCENT, TASKS } from './fleet';
import type { ServiceImages } from './images';
import { Migration } from './migration';
import { MYSQL_PORT, type Network, portOf, REDIS_PORT } from './network';
import { GENERATED_KEYS } from './settings';
import { ShopTask } from './shop-task';
import type { Uploads } from './uploads';

/** The domain of the services' names inside the VPC: `auth.shop.internal`. */
export const DOMAIN = 'shop.internal';
/** Where the operator puts the mail server's password before the first deployment, if the server needs one. */
export const SMTP_SECRET = 'evermos/smtp-password';

interface ShopServicesProps {
  network: Network;
  database: Database;
  cache: Cache;
  uploads: Uploads;
  images: ServiceImages;
  settings: Record<string, string>;
  /** The optional keys that the operator has made. */
  operatorKeys: readonly string[];
  logs: LogGroupProps;
}

/** The six services on Fargate, and the migrations that run before they change. */
export class ShopServices extends Construct {
  readonly cluster: Cluster;
  readonly of: Readonly<Record<ServiceName, FargateService>>;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ShopServicesProps,
  ) {
    super(scope, id);
    const { network, images, database, logs } = props;
    this.cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENHANCED,
    });
    const namespace = new PrivateDnsNamespace(this, 'Names', { name: DOMAIN, vpc: network.vpc });
    const jwtSecret = new Secret(this, 'JwtSecret', {
      description: 'JWT_SECRET of the services',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(jwtSecret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'A new secret logs everybody out. README.md: how to replace it.',
    });

    const keys = this.optionalKeys();

    const container = 'migrate';
    const migrate = new ShopTask(this, 'Migrate', {
      name: container,
      image: images.of.auth,
      logGroup: new LogGroup(this, 'MigrateLogs', logs),
      size: { cpu: 256, memoryLimitMiB: 512 },
      environment: this.databaseSettings(),
      secrets: { DB_PASS: TaskSecret.fromSecretsManager(database.secret, 'password') },
      entryPoint: ['node', '/app/packages/shop/dist/migrate-main.js'],
    });
    const migration = new Migration(this, 'Migration', {
      task: migrate,
      container,
      cluster: this.cluster,
      network,
      logs,
    });
    migration.resource.node.addDependency(database.instance);

    const run = (name: ServiceName): FargateService => {
      const service = this.fargateService(name, namespace, {
        JWT_SECRET: jwtSecret,
        ...pick(keys, optionalKeysOf(services[name])),
      });
      service.node.addDependency(migration.resource);
      return service;
    };
    this.of = Object.fromEntries(serviceNames.map((name) => [name, run(name)])) as Record<ServiceName, FargateService>;
  }

  private fargateService(
    name: ServiceName,
    namespace: PrivateDnsNamespace,
    keys: Record<string, ISecret>,
  ): FargateService {
    const { network, images, settings, logs } = this.props;
    const needs: readonly string[] = services[name].needs;
    const storesUploads = needs.includes('uploads');
    const task = new ShopTask(this, `${name}Task`, {
      name,
      image: images.of[name],
      logGroup: new LogGroup(this, `${name}Logs`, logs),
      size: fargateSize(services[name].resources),
      port: portOf(name),
      environment: { ...settings, ...this.locations() },
      secrets: {
        ...this.commonSecrets(),
        ...Object.fromEntries(
          Object.entries(keys).map(([key, secret]) => [key, TaskSecret.fromSecretsManager(secret)]),
        ),
        ...(storesUploads ? this.uploadSecrets() : {}),
        ...(needs.includes('mail') ? this.mailSecrets() : {}),
      },
      ...(storesUploads ? { uploadPath: this.locations().UPLOAD_PATH } : {}),
    });
    const service = new FargateService(this, name, {
      cluster: this.cluster,
      taskDefinition: task.definition,
      assignPublicIp: false,
      vpcSubnets: { subnets: network.vpc.privateSubnets },
      securityGroups: [network.services],
      // No `desiredCount`: autoscaling decides, and a deployment must not undo it.
      minHealthyPercent: 100,
      maxHealthyPercent: MAX_HEALTHY_PERCENT,
      circuitBreaker: { enable: true, rollback: true },
      cloudMapOptions: {
        name,
        cloudMapNamespace: namespace,
        dnsRecordType: DnsRecordType.A,
        dnsTtl: Duration.seconds(5),
      },
    });
    scaleByCpu(service);
    return service;
  }

  private databaseSettings(): Record<string, string> {
    const { database, settings } = this.props;
    return {
      DB_HOST: database.instance.instanceEndpoint.hostname,
      DB_PORT: String(MYSQL_PORT),
      DB_USER: database.user,
      DB_NAME: settings.DB_NAME ?? '',
    };
  }

  /** What follows from this stack, and so overrides `.env.production`. */
  private locations() {
    const { cache, network, uploads } = this.props;
    return {
      ...this.databaseSettings(),
      DB_POOL_SIZE: String(DB_POOL_SIZE),
      DB_POOL_MAX_IDLE: String(DB_POOL_SIZE),
      FLEET_PROCESSES: String(FLEET_PROCESSES),
      REDIS_HOST: cache.host,
      REDIS_PORT: String(REDIS_PORT),
      REDIS_TLS: 'on',
      ...Object.fromEntries(serviceNames.map((name) => [services[name].portVariable, String(portOf(name))])),
      // Only the gateway can connect: see the security groups.
      TRUST_PROXY: network.vpc.vpcCidrBlock,
      UPLOAD_PATH: '/data/uploads',
      S3_BUCKET: uploads.bucket.bucketName,
      S3_REGION: uploads.bucket.stack.region,
      // Cloud Map stops naming a task when it begins to stop, and Nginx keeps a name for 5 s.
      SHUTDOWN_DELAY_SECONDS: '5',
    };
  }

  private optionalKeys(): Record<string, ISecret> {
    const generated = GENERATED_KEYS.map((key): [string, ISecret] => {
      const secret = new Secret(this, key, {
        description: `${key} of the auth service`,
        generateSecretString: { passwordLength: 64, excludePunctuation: true },
        // Without them no password and no second factor works any more.
        removalPolicy: RemovalPolicy.RETAIN,
      });
      Validations.of(secret).acknowledge({ id: 'AwsSolutions-SMG4', reason: 'docs/guides/key-rotation.md: by hand.' });
      return [key, secret];
    });
    const given = this.props.operatorKeys.map((key): [string, ISecret] => [
      key,
      Secret.fromSecretNameV2(this, key, `evermos/${key.toLowerCase().replaceAll('_', '-')}`),
    ]);
    return Object.fromEntries([...generated, ...given]);
  }

  private commonSecrets(): Record<string, TaskSecret> {
    return {
      DB_PASS: TaskSecret.fromSecretsManager(this.props.database.secret, 'password'),
      REDIS_PASSWORD: TaskSecret.fromSecretsManager(this.props.cache.secret),
    };
  }

  private uploadSecrets(): Record<string, TaskSecret> {
    const { secret } = this.props.uploads;
    return {
      S3_ACCESS_KEY_ID: TaskSecret.fromSecretsManager(secret, 'accessKeyId'),
      S3_SECRET_ACCESS_KEY: TaskSecret.fromSecretsManager(secret, 'secretAccessKey'),
    };
  }

  private mailSecrets(): Record<string, TaskSecret> {
    if (!this.props.settings.SMTP_USER) return {};
    return { SMTP_PASS: TaskSecret.fromSecretsManager(Secret.fromSecretNameV2(this, 'SmtpPassword', SMTP_SECRET)) };
  }
}

const pick = <T>(all: Record<string, T>, names: readonly string[]): Record<string, T> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));

export function scaleByCpu(service: FargateService): void {
  const scaling = service.autoScaleTaskCount({ minCapacity: TASKS.min, maxCapacity: TASKS.max });
  scaling.scaleOnCpuUtilization('Cpu', {
    targetUtilizationPercent: TASKS.cpuPercent,
    scaleOutCooldown: Duration.minutes(1),
    scaleInCooldown: Duration.minutes(5),
  });
}
