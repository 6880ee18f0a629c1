import * as network from '@pulumi/azure-native/network';
import * as privatedns from '@pulumi/azure-native/privatedns';
import type * as pulumi from '@pulumi/pulumi';
import type { Settings } from './settings';

export const PODS = '10.44.0.0/16';
const MYSQL = '10.40.16.0/24';
const ENDPOINTS = '10.40.17.0/24';
/** MYSQL and ENDPOINTS. */
export const DATA = '10.40.16.0/23';
/** The internal load balancer of the gateway, and the addresses from which Front Door's requests arrive there. */
export const ENTRY = '10.40.18.0/24';
export const ENTRY_SUBNET = 'entry';

export function createNetwork({ ddosPlan }: Settings, resourceGroupName: pulumi.Input<string>) {
  const plan = ddosPlan ? new network.DdosProtectionPlan('shop', { resourceGroupName }) : undefined;
  const vnet = new network.VirtualNetwork('shop', {
    resourceGroupName,
    addressSpace: { addressPrefixes: ['10.40.0.0/16'] },
    // Protects the public addresses in this network: the one for outgoing traffic. Front Door has a protection of its own.
    ...(plan ? { enableDdosProtection: true, ddosProtectionPlan: { id: plan.id } } : {}),
  });
  const address = new network.PublicIPAddress('egress', {
    resourceGroupName,
    sku: { name: 'Standard' },
    publicIPAllocationMethod: 'Static',
    ddosSettings: { protectionMode: 'VirtualNetworkInherited' },
  });
  // The way out, for mail, Google's keys and images. Nothing can come in through it.
  const nat = new network.NatGateway('shop', {
    resourceGroupName,
    sku: { name: 'Standard' },
    publicIpAddresses: [{ id: address.id }],
  });
  const subnet = (name: string, addressPrefix: string, rest: Partial<network.SubnetArgs>, after?: pulumi.Resource) =>
    new network.Subnet(
      name,
      {
        resourceGroupName,
        virtualNetworkName: vnet.name,
        subnetName: name,
        addressPrefix,
        defaultOutboundAccess: false,
        ...rest,
      },
      // Azure changes a network's subnets only one by one.
      after ? { dependsOn: [after] } : {},
    );
  const nodes = subnet('nodes', '10.40.0.0/20', { natGateway: { id: nat.id } });
  const delegations = [{ name: 'mysql', serviceName: 'Microsoft.DBforMySQL/flexibleServers' }];
  const mysql = subnet('mysql', MYSQL, { delegations }, nodes);
  const endpoints = subnet('endpoints', ENDPOINTS, {}, mysql);
  const entry = subnet(ENTRY_SUBNET, ENTRY, { privateLinkServiceNetworkPolicies: 'Disabled' }, endpoints);
  return { resourceGroupName, vnet, nodes, mysql, endpoints, entry };
}

export type Network = ReturnType<typeof createNetwork>;

/** A DNS zone that only this network sees. */
export function createPrivateZone({ resourceGroupName, vnet }: Network, name: string, privateZoneName: string) {
  const zone = new privatedns.PrivateZone(name, { resourceGroupName, privateZoneName, location: 'global' });
  const link = new privatedns.VirtualNetworkLink(name, {
    resourceGroupName,
    privateZoneName: zone.name,
    location: 'global',
    registrationEnabled: false,
    virtualNetwork: { id: vnet.id },
  });
  return { zone, link };
}

/** A private address for a service of Azure, under its usual name. */
export function createPrivateEndpoint(
  place: Network,
  name: string,
  target: { id: pulumi.Input<string>; group: string; zone: string },
) {
  const { zone } = createPrivateZone(place, name, target.zone);
  const endpoint = new network.PrivateEndpoint(name, {
    resourceGroupName: place.resourceGroupName,
    subnet: { id: place.endpoints.id },
    privateLinkServiceConnections: [{ name, privateLinkServiceId: target.id, groupIds: [target.group] }],
  });
  new network.PrivateDnsZoneGroup(name, {
    resourceGroupName: place.resourceGroupName,
    privateEndpointName: endpoint.name,
    privateDnsZoneConfigs: [{ name, privateDnsZoneId: zone.id }],
  });
  return endpoint;
}
