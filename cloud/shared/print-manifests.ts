import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { stringify } from 'yaml';
import type { KubernetesObject } from './kubernetes-objects';

/** Objects that start or route to the new version. Everything else, the migration included, is applied before. */
const rolledOut = ['Deployment', 'HorizontalPodAutoscaler', 'PodDisruptionBudget', 'Ingress'];

/**
 * `npm run manifests -- OUTPUTS.json VERSION SETTINGS.env FOLDER`: writes what `kubectl apply -f` applies, in two steps.
 * @param objectsOf the objects for these outputs of the stack, this version of the images and these settings
 */
export function printManifests<Outputs>(
  objectsOf: (outputs: Outputs, version: string, settings: Record<string, string>) => KubernetesObject[],
): void {
  const [outputsFile, version, settingsFile, folder] = process.argv.slice(2);
  if (!outputsFile || !version || !settingsFile || !folder) {
    console.error('usage: npm run manifests -- OUTPUTS.json VERSION SETTINGS.env FOLDER');
    process.exit(2);
  }
  const outputs = JSON.parse(readFileSync(outputsFile, 'utf8')) as Outputs;
  const settings = parseEnv(readFileSync(settingsFile, 'utf8')) as Record<string, string>;
  mkdirSync(folder, { recursive: true });
  for (const [file, objects] of Object.entries(inSteps(objectsOf(outputs, version, settings)))) {
    const text = objects.map((object) => `---\n${stringify(object, { aliasDuplicateObjects: false })}`).join('');
    writeFileSync(path.join(folder, file), text);
  }
}

export function inSteps(objects: readonly KubernetesObject[]): Record<string, KubernetesObject[]> {
  const isRolledOut = ({ kind }: KubernetesObject) => rolledOut.includes(kind);
  return {
    '1-migrate.yaml': objects.filter((object) => !isRolledOut(object)),
    '2-services.yaml': objects.filter(isRolledOut),
  };
}
