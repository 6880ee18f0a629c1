import path from 'node:path';
import { serviceNames } from '@shop/test-servers';
import { readersOf } from './environment';
import {
  type Manifest,
  matches,
  ofKind,
  type Peer,
  type PolicyPort,
  readManifests,
  type Workload,
  workloads,
} from './manifests';
import type { Check } from './problem';

/** A peer outside our pods: anywhere, or in another namespace that a policy names. */
type Stranger = 'anybody' | 'another namespace';
type Direction = 'ingress' | 'egress';

interface Rule {
  peers?: Peer[] | undefined;
  ports?: PolicyPort[] | undefined;
}

type Allowed = (
  direction: Direction,
  pod: Workload,
  peer: Workload | Stranger,
  port: number,
  protocol?: string,
) => boolean;

/** A connection: whether it is allowed, and whether it is needed. */
interface Path {
  from: string;
  to: string;
  is: boolean;
  needed: boolean;
}

const isService = (name: string): boolean => serviceNames.some((service) => service === name);
const isStore = (name: string): boolean => ['db', 'redis'].includes(name);

/**
 * Checks that policies allow exactly the connections that the shop needs: anybody to the gateway, the gateway to the services,
 * services to MySQL and Redis, Prometheus to services, auth to Google and the mail server, uploads to a bucket, all to DNS.
 */
export const policiesAllowWhatIsNeeded: Check = (files) => {
  const manifests = readManifests(files);
  // Policies in k8s/alternatives are not applied by default.
  const policies = ofKind(manifests, 'NetworkPolicy').filter(({ file }) => path.dirname(file) === 'k8s');
  const pods = workloads(manifests);
  const allowed: Allowed = (direction, pod, peer, port, protocol = 'TCP') =>
    rulesOn(direction, pod, policies).some(
      (rule) => permitsPeer(rule, peer) && permitsPort(rule, direction === 'ingress' ? pod : peer, { port, protocol }),
    );
  const mailPort = Number(ofKind(manifests, 'ConfigMap').find(({ data }) => data.SMTP_PORT)?.data.SMTP_PORT ?? 587);
  const paths = pods.flatMap((pod) => [...waysIn(pod, pods, allowed), ...waysOut(pod, mailPort, allowed)]);
  return paths
    .filter(({ is, needed }) => is !== needed)
    .map(({ from, to, is }) => ({
      file: policies[0]?.file ?? 'k8s',
      at: `${from} to ${to}`,
      message: is ? 'must be denied' : 'must be allowed',
    }));
};

function waysIn(pod: Workload, pods: Workload[], allowed: Allowed): Path[] {
  const { name } = pod.metadata;
  return portsOf(pod).flatMap((port): Path[] => {
    const to = `${name}:${port}`;
    const others = pods.filter((other) => other !== pod && name !== 'nginx');
    return [
      ...others.map((other) => {
        const from = other.metadata.name;
        const is = allowed('egress', other, pod, port) && allowed('ingress', pod, other, port);
        return { from, to, is, needed: isService(name) ? from === 'nginx' : isStore(name) && isService(from) };
      }),
      { from: 'anybody', to, is: allowed('ingress', pod, 'anybody', port), needed: name === 'nginx' },
      { from: 'Prometheus', to, is: allowed('ingress', pod, 'another namespace', port), needed: !isStore(name) },
    ];
  });
}

function waysOut(pod: Workload, mailPort: number, allowed: Allowed): Path[] {
  const from = pod.metadata.name;
  const auth = from === 'auth';
  const dns = (protocol: string): Path => {
    const is = allowed('egress', pod, 'another namespace', 53, protocol);
    return { from, to: `DNS (${protocol})`, is, needed: true };
  };
  const anybody = (port: number, needed: boolean): Path => {
    return { from, to: `anybody:${port}`, is: allowed('egress', pod, 'anybody', port), needed };
  };
  const stores = readersOf('UPLOAD_PATH').includes(from);
  return [dns('UDP'), dns('TCP'), anybody(443, auth || stores), anybody(mailPort, auth)];
}

const portsOf = ({ pod }: Workload): number[] =>
  pod.containers.flatMap(({ ports = [] }) => ports.map(({ containerPort }) => containerPort));

/** Whether the policies of a pod together allow the connection. Without policies, everything is allowed. */
function rulesOn(direction: Direction, { labels }: Workload, policies: Manifest[]): Rule[] {
  const type = direction === 'ingress' ? 'Ingress' : 'Egress';
  const own = policies.filter(
    ({ spec }) =>
      matches(spec.podSelector, labels) &&
      (spec.policyTypes ?? ['Ingress', ...(spec.egress ? ['Egress'] : [])]).includes(type),
  );
  if (own.length === 0) return [{}];
  return own.flatMap(({ spec }): Rule[] =>
    direction === 'ingress'
      ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })),
  );
}

function permitsPeer({ peers = [] }: Rule, peer: Workload | Stranger): boolean {
  if (peers.length === 0) return true;
  return peers.some(({ podSelector, namespaceSelector, ipBlock }) => {
    if (peer === 'anybody') return ipBlock !== undefined;
    if (peer === 'another namespace') return (namespaceSelector ?? ipBlock) !== undefined;
    return namespaceSelector === undefined && podSelector !== undefined && matches(podSelector, peer.labels);
  });
}

/** A policy's port is the number or the name of a port of the target pod. */
function permitsPort({ ports = [] }: Rule, called: Workload | Stranger, wanted: { port: number; protocol: string }) {
  const named = typeof called === 'string' ? [] : called.pod.containers.flatMap(({ ports: own = [] }) => own);
  return (
    ports.length === 0 ||
    ports.some(({ port, protocol = 'TCP' }) => {
      const number = named.find(({ name }) => name === port)?.containerPort ?? port;
      return protocol === wanted.protocol && (port === undefined || number === wanted.port);
    })
  );
}
