import * as gcp from '@pulumi/gcp';
import * as pulumi from '@pulumi/pulumi';
import type { Network } from './network';
import type { Settings } from './settings';

export function createCluster({ region, project }: Settings, { network, subnetwork, nat }: Network) {
  const nodes = new gcp.serviceaccount.Account('nodes', {
    accountId: 'shop-nodes',
    displayName: 'Nodes of the cluster',
  });
  const roles = ['roles/container.defaultNodeServiceAccount', 'roles/artifactregistry.reader'].map(
    (role) =>
      new gcp.projects.IAMMember(`nodes-${role.split('/')[1]}`, {
        project,
        role,
        member: pulumi.interpolate`serviceAccount:${nodes.email}`,
      }),
  );
  return new gcp.container.Cluster(
    'shop',
    {
      location: region,
      enableAutopilot: true,
      network: network.id,
      subnetwork: subnetwork.id,
      // VPC-native: the load balancer reaches the pods themselves.
      networkingMode: 'VPC_NATIVE',
      ipAllocationPolicy: { clusterSecondaryRangeName: 'pods', servicesSecondaryRangeName: 'services' },
      privateClusterConfig: { enablePrivateNodes: true, enablePrivateEndpoint: true },
      // kubectl connects to the DNS name, where IAM decides. There is no IP address to connect to.
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: false },
      },
      releaseChannel: { channel: 'REGULAR' },
      clusterAutoscaling: { autoProvisioningDefaults: { serviceAccount: nodes.email } },
      secretManagerConfig: { enabled: true },
      maintenancePolicy: {
        recurringWindow: {
          startTime: '2026-01-01T02:00:00Z',
          endTime: '2026-01-01T08:00:00Z',
          recurrence: 'FREQ=WEEKLY;BYDAY=TU,WE,TH',
        },
      },
      deletionProtection: true,
    },
    { dependsOn: [nat, ...roles] },
  );
}
