import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repoRoot } from './repo';

/** The parts of Kubernetes objects that are changed for a cloud. The tests check the results against the schemas. */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Labels; annotations?: Labels };
  // biome-ignore lint/suspicious/noExplicitAny: the shape differs for each kind.
  spec?: any;
  data?: Record<string, string>;
}

export type Labels = Record<string, string>;

/** What a managed service replaces, and the entry that differs between clusters. */
const replacedFiles = /^(mysql.*|redis.*|uploads-pvc|secret|ingress)\.yaml$/;
const replacedPolicies = ['db', 'redis'];

/** The objects of k8s/ that every cloud applies. */
export function rendered(): KubernetesObject[] {
  const folder = path.join(repoRoot, 'k8s');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && !replacedFiles.test(file))
    .sort()
    .flatMap((file) =>
      parseAllDocuments(readFileSync(path.join(folder, file), 'utf8')).map((document) => document.toJS()),
    )
    .filter(({ kind, metadata }) => !(kind === 'NetworkPolicy' && replacedPolicies.includes(metadata.name)));
}

/** The object of that kind and name, which must exist. */
export function objectNamed(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
