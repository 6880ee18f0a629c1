import * as authorization from '@pulumi/azure-native/authorization';
import * as containerregistry from '@pulumi/azure-native/containerregistry';
import type * as containerservice from '@pulumi/azure-native/containerservice';
import * as managedidentity from '@pulumi/azure-native/managedidentity';
import * as pulumi from '@pulumi/pulumi';
import type { Settings } from './settings';

/** Azure's own roles (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles). */
const builtInRoles = {
  AcrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d',
  AcrPush: '8311e382-0749-4cb8-b61a-304f252e45ec',
  'Azure Kubernetes Service RBAC Cluster Admin': 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b',
  'Key Vault Secrets User': '4633458b-17de-408a-874b-0445c86b69e6',
  'Network Contributor': '4d97b98b-1d4f-4787-a291-c67834d212e7',
};

export const assign = (
  name: string,
  principalId: pulumi.Input<string>,
  role: keyof typeof builtInRoles,
  scope: pulumi.Input<string>,
): authorization.RoleAssignment =>
  new authorization.RoleAssignment(name, {
    principalId,
    principalType: 'ServicePrincipal',
    roleDefinitionId: `/providers/Microsoft.Authorization/roleDefinitions/${builtInRoles[role]}`,
    scope,
  });

export function createRegistry(resourceGroupName: pulumi.Input<string>, cluster: containerservice.ManagedCluster) {
  const registry = new containerregistry.Registry('shop', {
    resourceGroupName,
    sku: { name: 'Standard' },
    adminUserEnabled: false,
    anonymousPullEnabled: false,
  });
  const kubelet = cluster.identityProfile.apply((profile) => profile?.kubeletidentity?.objectId ?? '');
  assign('pull', kubelet, 'AcrPull', registry.id);
  return registry;
}

/** Lets the workflow deploy-azure.yml log in with GitHub's OpenID Connect token, only from the environment `azure`. */
export function createDeployer(
  { repository }: Settings,
  resourceGroupName: pulumi.Input<string>,
  cluster: containerservice.ManagedCluster,
  registry: containerregistry.Registry,
) {
  const identity = new managedidentity.UserAssignedIdentity('deployer', { resourceGroupName });
  new managedidentity.FederatedIdentityCredential('deployer', {
    resourceGroupName,
    resourceName: identity.name,
    issuer: 'https://token.actions.githubusercontent.com',
    subject: `repo:${repository}:environment:azure`,
    audiences: ['api://AzureADTokenExchange'],
  });
  const commands = new authorization.RoleDefinition('commands', {
    roleName: pulumi.interpolate`Run commands in ${cluster.name}`,
    scope: cluster.id,
    assignableScopes: [cluster.id],
    permissions: [
      {
        actions: [
          'Microsoft.ContainerService/managedClusters/read',
          'Microsoft.ContainerService/managedClusters/runcommand/action',
          'Microsoft.ContainerService/managedClusters/commandResults/read',
        ],
      },
    ],
  });
  new authorization.RoleAssignment('commands', {
    principalId: identity.principalId,
    principalType: 'ServicePrincipal',
    roleDefinitionId: commands.id,
    scope: cluster.id,
  });
  assign('deploy', identity.principalId, 'Azure Kubernetes Service RBAC Cluster Admin', cluster.id);
  assign('push', identity.principalId, 'AcrPush', registry.id);
  return identity;
}
