import * as gcp from '@pulumi/gcp';
import type { Settings } from './settings';

/** Pods and nodes have private addresses only. MySQL and Redis are in `DATA`, a range that is reserved for Google's services. */
export const PODS = '10.16.0.0/14';
export const DATA = '10.30.0.0/20';

export function createNetwork({ region }: Settings) {
  const network = new gcp.compute.Network('shop', { autoCreateSubnetworks: false });
  const subnetwork = new gcp.compute.Subnetwork('shop', {
    region,
    network: network.id,
    ipCidrRange: '10.10.0.0/20',
    privateIpGoogleAccess: true,
    secondaryIpRanges: [
      { rangeName: 'pods', ipCidrRange: PODS },
      { rangeName: 'services', ipCidrRange: '10.20.0.0/20' },
    ],
    logConfig: { aggregationInterval: 'INTERVAL_5_SEC', flowSampling: 0.1, metadata: 'EXCLUDE_ALL_METADATA' },
  });
  const router = new gcp.compute.Router('shop', { region, network: network.id });
  // The way out, for mail, Google's keys and images. Nothing can come in through it.
  const nat = new gcp.compute.RouterNat('shop', {
    region,
    router: router.name,
    natIpAllocateOption: 'AUTO_ONLY',
    sourceSubnetworkIpRangesToNat: 'ALL_SUBNETWORKS_ALL_IP_RANGES',
    logConfig: { enable: true, filter: 'ERRORS_ONLY' },
  });
  const range = new gcp.compute.GlobalAddress('data', {
    purpose: 'VPC_PEERING',
    addressType: 'INTERNAL',
    address: DATA.split('/')[0] ?? '',
    prefixLength: Number(DATA.split('/')[1]),
    network: network.id,
  });
  const peering = new gcp.servicenetworking.Connection('data', {
    network: network.id,
    service: 'servicenetworking.googleapis.com',
    reservedPeeringRanges: [range.name],
  });
  return { network, subnetwork, nat, peering };
}

export type Network = ReturnType<typeof createNetwork>;
