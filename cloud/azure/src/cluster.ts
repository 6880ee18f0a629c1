import * as containerservice from '@pulumi/azure-native/containerservice';
import * as managedidentity from '@pulumi/azure-native/managedidentity';
import type * as pulumi from '@pulumi/pulumi';
import { assign } from './access';
import { type Network, PODS } from './network';

/** A private cluster: `az aks command invoke` reaches it through Azure's own API, where Entra ID decides. */
export function createCluster(
  { vnet, nodes }: Network,
  resourceGroup: { name: pulumi.Output<string>; id: pulumi.Output<string> },
) {
  const resourceGroupName = resourceGroup.name;
  const identity = new managedidentity.UserAssignedIdentity('cluster', { resourceGroupName });
  // For the gateway's load balancer and its private link service, which is in this resource group.
  const roles = [
    assign('cluster-network', identity.principalId, 'Network Contributor', vnet.id),
    assign('cluster-link', identity.principalId, 'Network Contributor', resourceGroup.id),
  ];
  return new containerservice.ManagedCluster(
    'shop',
    {
      resourceGroupName,
      dnsPrefix: 'shop',
      sku: { name: 'Base', tier: 'Standard' },
      identity: { type: 'UserAssigned', userAssignedIdentities: [identity.id] },
      apiServerAccessProfile: {
        enablePrivateCluster: true,
        enablePrivateClusterPublicFQDN: false,
        disableRunCommand: false,
      },
      aadProfile: { managed: true, enableAzureRBAC: true },
      disableLocalAccounts: true,
      enableRBAC: true,
      oidcIssuerProfile: { enabled: true },
      securityProfile: { workloadIdentity: { enabled: true }, imageCleaner: { enabled: true, intervalHours: 168 } },
      addonProfiles: { azureKeyvaultSecretsProvider: { enabled: true, config: { enableSecretRotation: 'true' } } },
      autoUpgradeProfile: { upgradeChannel: 'stable', nodeOSUpgradeChannel: 'NodeImage' },
      networkProfile: {
        networkPlugin: 'azure',
        networkPluginMode: 'overlay',
        networkDataplane: 'cilium',
        networkPolicy: 'cilium',
        podCidr: PODS,
        serviceCidr: '10.48.0.0/16',
        dnsServiceIP: '10.48.0.10',
        loadBalancerSku: 'standard',
        outboundType: 'userAssignedNATGateway',
      },
      agentPoolProfiles: [
        {
          name: 'nodes',
          mode: 'System',
          osType: 'Linux',
          vmSize: 'Standard_D4ds_v5',
          availabilityZones: ['1', '2', '3'],
          enableAutoScaling: true,
          minCount: 3,
          maxCount: 9,
          count: 3,
          enableNodePublicIP: false,
          enableEncryptionAtHost: true,
          vnetSubnetID: nodes.id,
        },
      ],
    },
    // The autoscaler changes it.
    { dependsOn: roles, ignoreChanges: ['agentPoolProfiles[0].count'], protect: true },
  );
}
