import type * as containerservice from '@pulumi/azure-native/containerservice';
import * as keyvault from '@pulumi/azure-native/keyvault';
import * as managedidentity from '@pulumi/azure-native/managedidentity';
import type * as pulumi from '@pulumi/pulumi';
import { assign } from './access';
import { createPrivateEndpoint, type Network } from './network';

/** A vault accepts no underscores. The pods get the files under their usual names. */
export const nameInVault = (key: string): string => key.replaceAll('_', '-');

/** The secrets, which only the pods' identity can read (workload identity). */
export function createVault(
  place: Network,
  tenantId: pulumi.Input<string>,
  cluster: containerservice.ManagedCluster,
  values: Record<string, pulumi.Input<string>>,
) {
  const { resourceGroupName } = place;
  const vault = new keyvault.Vault('shop', {
    resourceGroupName,
    properties: {
      tenantId,
      sku: { family: 'A', name: 'standard' },
      enableRbacAuthorization: true,
      enableSoftDelete: true,
      enablePurgeProtection: true,
      publicNetworkAccess: 'Disabled',
      networkAcls: { defaultAction: 'Deny', bypass: 'None' },
    },
  });
  createPrivateEndpoint(place, 'vault', { id: vault.id, group: 'vault', zone: 'privatelink.vaultcore.azure.net' });
  for (const [key, value] of Object.entries(values)) {
    new keyvault.Secret(key, {
      resourceGroupName,
      vaultName: vault.name,
      secretName: nameInVault(key),
      properties: { value },
    });
  }
  const identity = new managedidentity.UserAssignedIdentity('pods', { resourceGroupName });
  new managedidentity.FederatedIdentityCredential('pods', {
    resourceGroupName,
    resourceName: identity.name,
    issuer: cluster.oidcIssuerProfile.apply((profile) => profile?.issuerURL ?? ''),
    subject: 'system:serviceaccount:shop:shop',
    audiences: ['api://AzureADTokenExchange'],
  });
  assign('pods-secrets', identity.principalId, 'Key Vault Secrets User', vault.id);
  return { vault, identity };
}
