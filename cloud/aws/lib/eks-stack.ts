import { KubectlV36Layer } from '@aws-cdk/lambda-layer-kubectl-v36';
import { type CfnCondition, CfnOutput, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { FlowLogDestination, GatewayVpcEndpointAwsService, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Addon, Cluster, ClusterLoggingTypes, EndpointAccess, KubernetesVersion } from 'aws-cdk-lib/aws-eks-v2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { type ServiceName, serviceNames } from '../../../packages/shop/src/services';
import { acknowledgeFunctions, anythingOf, managedPolicy } from './acknowledge';
import { backupImage, ServiceImages } from './images';
import { manifestsForEks } from './manifests';
import { readChoices, readSettings } from './settings';
import { Uploads } from './uploads';

/** Settings that Kubernetes's own files decide: they name its Services, pods and volumes. */
const DECIDED_BY_KUBERNETES = /^(DB_|REDIS_|FLEET_|TRUST_PROXY$|UPLOAD_PATH$|SHUTDOWN_|[A-Z]+_PORT$)/;

/** The same shop on EKS: a cluster in Auto Mode, to which the files of `k8s/` are applied. MySQL and Redis run in the cluster. */
export class EvermosEksStack extends Stack {
  constructor(scope: Construct, id: string) {
    super(scope, id, { env: { region: 'us-east-1' }, terminationProtection: true });
    const choices = readChoices(this);
    const settings = readSettings(this);
    const vpc = this.vpc();
    const uploads = new Uploads(this, 'Uploads', { vpc, accessLogs: undefined, keySerial: choices.uploadsKeySerial });
    const images = new ServiceImages(this, 'Images', choices.gitRevision);
    const backup = backupImage(this);
    const cluster = this.cluster(vpc, choices.eksAdminCidr);

    const ofTheProduct = Object.entries(settings).filter(([name]) => !DECIDED_BY_KUBERNETES.test(name));
    const manifests = manifestsForEks({
      imageOf: (name) => (name === 'shop-backup' ? backup : images.of[serviceOf(name)]).imageUri,
      settings: {
        ...Object.fromEntries(ofTheProduct),
        S3_BUCKET: uploads.bucket.bucketName,
        S3_REGION: this.region,
      },
    });
    const [namespace, ...others] = manifests.map(({ file, objects }) => cluster.addManifest(file, ...objects));
    for (const other of others) if (namespace) other.node.addDependency(namespace);

    acknowledgeFunctions(this);
    acknowledgeCluster(cluster);
    new CfnOutput(this, 'ClusterName', { value: cluster.clusterName });
    new CfnOutput(this, 'UploadsSecret', { value: uploads.secret.secretName });
  }

  private vpc(): Vpc {
    const vpc = new Vpc(this, 'Vpc', {
      maxAzs: 2,
      natGateways: 2,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 19 },
      ],
      gatewayEndpoints: { s3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    const retention = { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY };
    vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(new LogGroup(this, 'FlowLogs', retention)),
    });
    return vpc;
  }

  private cluster(vpc: Vpc, adminCidr: string | undefined): Cluster {
    const cluster = new Cluster(this, 'Cluster', {
      // The version whose schemas `npm run deploy:check` uses.
      version: KubernetesVersion.V1_36,
      vpc,
      vpcSubnets: [{ subnetType: SubnetType.PRIVATE_WITH_EGRESS }],
      endpointAccess: adminCidr ? EndpointAccess.PUBLIC_AND_PRIVATE.onlyFrom(adminCidr) : EndpointAccess.PRIVATE,
      clusterLogging: Object.values(ClusterLoggingTypes),
      kubectlProviderOptions: { kubectlLayer: new KubectlV36Layer(this, 'Kubectl') },
    });
    // hpa.yaml needs it.
    new Addon(this, 'MetricsServer', { cluster, addonName: 'metrics-server' });
    cluster.addManifest('storage-class', DEFAULT_STORAGE_CLASS);
    cluster.addManifest('network-policies', ENFORCED_NETWORK_POLICIES);
    if (adminCidr) {
      Validations.of(cluster).acknowledge({
        id: 'AwsSolutions-EKS1',
        reason: 'Only the network that the operator named with eksAdminCidr can reach it.',
      });
    }
    return cluster;
  }
}

/** EKS and CDK's function that runs kubectl need what AWS's own policies permit. */
function acknowledgeCluster(cluster: Cluster): void {
  const policies = [
    'AmazonEKSClusterPolicy',
    'AmazonEKSComputePolicy',
    'AmazonEKSBlockStoragePolicy',
    'AmazonEKSLoadBalancingPolicy',
    'AmazonEKSNetworkingPolicy',
    'AmazonEKSWorkerNodePolicy',
    'AmazonEC2ContainerRegistryReadOnly',
    'service-role/AWSLambdaVPCAccessExecutionRole',
  ];
  const handler = cluster.node.findChild('KubectlProvider').node.findChild('Handler');
  const condition = Stack.of(cluster).getLogicalId(handler.node.findChild('HasEcrPublic') as CfnCondition);
  const publicImages = `{"Fn::If":["${condition}",{"Fn::Join":["",["arn:",{"Ref":"AWS::Partition"},":iam::aws:policy/AmazonElasticContainerRegistryPublicReadOnly"]]},{"Ref":"AWS::NoValue"}]}`;
  const reason = "AWS's policy for exactly this purpose. AWS keeps it up to date.";
  Validations.of(cluster).acknowledge(
    ...policies.map((name) => ({ id: managedPolicy(name), reason })),
    { id: `AwsSolutions-IAM4[Policy::${publicImages}]`, reason },
    { id: anythingOf(handler, ':*'), reason: "CDK's framework calls exactly this function, in any version." },
    { id: 'AwsSolutions-L1', reason: 'CDK chooses the runtime of its function that runs kubectl.' },
  );
}

/** Auto Mode has the driver and no default class, which the claims of `k8s/` use. */
const DEFAULT_STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'gp3', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'ebs.csi.eks.amazonaws.com',
  parameters: { type: 'gp3', encrypted: 'true' },
  reclaimPolicy: 'Retain',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

/** Without it, Auto Mode ignores networkpolicy.yaml. */
const ENFORCED_NETWORK_POLICIES = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'amazon-vpc-cni', namespace: 'kube-system' },
  data: { 'enable-network-policy-controller': 'true' },
};

function serviceOf(image: string): ServiceName {
  const found = serviceNames.find((name) => image === `shop-${name}`);
  if (!found) throw new Error(`k8s/ names the image ${image}, which is none of the services'`);
  return found;
}
