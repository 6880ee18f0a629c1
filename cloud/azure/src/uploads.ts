import * as storage from '@pulumi/azure-native/storage';
import { createPrivateEndpoint, type Network } from './network';

/**
 * A file share that all pods mount. Blob storage does not speak S3, and the shop stores files in a folder as well (decision 29).
 * NFS has no encryption and no passwords of its own: the share can only be reached through a private address of the network.
 */
export function createUploads(place: Network) {
  const { resourceGroupName } = place;
  const account = new storage.StorageAccount(
    'uploads',
    {
      resourceGroupName,
      kind: 'FileStorage',
      sku: { name: 'Premium_ZRS' },
      // It would refuse NFS.
      enableHttpsTrafficOnly: false,
      minimumTlsVersion: 'TLS1_2',
      allowSharedKeyAccess: false,
      allowBlobPublicAccess: false,
      publicNetworkAccess: 'Disabled',
      networkRuleSet: { defaultAction: 'Deny', bypass: 'None' },
    },
    { protect: true },
  );
  new storage.FileServiceProperties('uploads', {
    resourceGroupName,
    accountName: account.name,
    fileServicesName: 'default',
    shareDeleteRetentionPolicy: { enabled: true, days: 30 },
  });
  const share = new storage.FileShare('uploads', {
    resourceGroupName,
    accountName: account.name,
    shareName: 'uploads',
    enabledProtocols: 'NFS',
    // The pods run as user 1000. Their first start needs no root either: the driver sets the folder's mode.
    rootSquash: 'NoRootSquash',
    shareQuota: 100,
  });
  createPrivateEndpoint(place, 'uploads', { id: account.id, group: 'file', zone: 'privatelink.file.core.windows.net' });
  return { account, share };
}
