import path from 'node:path';
import type { ServiceTable } from '@shop/shop/services';
import type { Check } from './check';
import { variablesReadBy } from './environment';
import { dataOf, type Manifest, matches, ofKind, readWorkloads, type Workload } from './manifests';

/** One end of a connection: a pod, or outside: any address, or another namespace that a policy names. */
type Peer = Workload | 'anybody' | 'another namespace';

interface Target {
  peer: Peer;
  port: number;
  protocol?: string;
}

/**
 * Checks that policies allow exactly the connections that the shop needs: anybody to the gateway, the gateway to the services,
 * services to MySQL and Redis, migrations and backups to MySQL, Prometheus to services, all to DNS, and to the outside what the
 * services' settings name, and a bucket for backups.
 */
export const policiesAllowWhatIsNeeded: Check = (files, table) => {
  // Policies in k8s/alternatives are not applied by default.
  const policies = ofKind(files, 'NetworkPolicy').filter(({ file }) => path.dirname(file) === 'k8s');
  const pods = readWorkloads(files).filter(({ metadata }) => metadata.namespace === 'shop');
  const mailPort = Number(dataOf(files, 'shop-config').SMTP_PORT);
  const targets: Target[] = [
    ...pods.flatMap((peer) => portsOf(peer).map((port) => ({ peer, port }))),
    { peer: 'another namespace', port: 53, protocol: 'UDP' },
    { peer: 'another namespace', port: 53 },
    { peer: 'anybody', port: 443 },
    { peer: 'anybody', port: mailPort },
  ];
  const outside: Peer[] = ['anybody', 'another namespace'];
  return [...pods, ...outside].flatMap((from) =>
    targets
      .filter(({ peer }) => peer !== from && !(isOutside(peer) && isOutside(from)))
      .map((to) => ({ to, is: isAllowed(from, to, policies) }))
      .filter(({ to, is }) => is !== isNeeded(from, to, table, mailPort))
      .map(({ to, is }) => {
        const connection = `${nameOf(from)} to ${nameOf(to.peer)}:${to.port}`;
        return `k8s/networkpolicy.yaml: ${connection}: must be ${is ? 'denied' : 'allowed'}`;
      }),
  );
};

const isOutside = (peer: Peer) => typeof peer === 'string';
const nameOf = (peer: Peer): string => (typeof peer === 'string' ? peer : peer.metadata.name);
const portsOf = ({ pod }: Workload): number[] =>
  pod.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));

function isNeeded(caller: Peer, { peer, port }: Target, table: ServiceTable, mailPort: number): boolean {
  const [from, to] = [nameOf(caller), nameOf(peer)];
  if (to === 'nginx') return isOutside(caller);
  if (to in table) return from === 'nginx' || from === 'another namespace';
  if (to === 'another namespace') return true;
  const isBackup = from === 'backup' || from === 'restore-drill';
  if (to !== 'anybody') return from in table || (to === 'db' && (isBackup || from === 'migrate'));
  const read = from in table ? variablesReadBy(from) : new Set<string>();
  return port === mailPort ? read.has('SMTP_HOST') : isBackup || read.has('S3_BUCKET') || read.has('GOOGLE_CERTS_URL');
}

/** The policies of both ends must allow it. Without policies, everything is allowed. */
const isAllowed = (from: Peer, to: Target, policies: Manifest[]): boolean =>
  permits('Egress', from, to.peer, to, policies) && permits('Ingress', to.peer, from, to, policies);

function permits(type: 'Ingress' | 'Egress', own: Peer, other: Peer, to: Target, policies: Manifest[]): boolean {
  if (typeof own === 'string') return true;
  const mine = policies.filter(({ spec: { podSelector, egress, policyTypes } }) => {
    const types = policyTypes ?? ['Ingress', ...(egress ? ['Egress'] : [])];
    return matches(podSelector, own.labels) && types.includes(type);
  });
  const rules = mine.flatMap(({ spec }) => (type === 'Ingress' ? spec.ingress : spec.egress) ?? []);
  const allows = rules.some(({ from, to: peers = from ?? [], ports = [] }) => {
    const { port: wanted, protocol: spoken = 'TCP' } = to;
    const peerFits = peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
      if (other === 'anybody') return ipBlock !== undefined;
      if (other === 'another namespace') return (namespaceSelector ?? ipBlock) !== undefined;
      return namespaceSelector === undefined && podSelector !== undefined && matches(podSelector, other.labels);
    });
    const portFits = ports.some(({ port = wanted, protocol = 'TCP' }) => port === wanted && protocol === spoken);
    return (peers.length === 0 || peerFits) && (ports.length === 0 || portFits);
  });
  return mine.length === 0 || allows;
}
