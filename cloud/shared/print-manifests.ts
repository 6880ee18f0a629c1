import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { stringify } from 'yaml';
import type { KubernetesObject } from './kubernetes-objects';

/** Settings that follow from the stack: a settings file may not contradict it. */
type Settings = Record<string, string>;

/**
 * `npm run --silent manifests -- OUTPUTS.json VERSION SETTINGS.env`: prints what `kubectl apply -f -` applies.
 * @param objectsOf the objects for these outputs of the stack, this version of the images and these settings
 */
export function printManifests<Outputs>(
  objectsOf: (outputs: Outputs, version: string, settings: Settings) => KubernetesObject[],
): void {
  const [outputsFile, version, settingsFile] = process.argv.slice(2);
  if (!outputsFile || !version || !settingsFile) {
    console.error('usage: npm run --silent manifests -- OUTPUTS.json VERSION SETTINGS.env');
    process.exit(2);
  }
  const outputs = JSON.parse(readFileSync(outputsFile, 'utf8')) as Outputs;
  const settings = parseEnv(readFileSync(settingsFile, 'utf8')) as Settings;
  process.stdout.write(
    objectsOf(outputs, version, settings)
      .map((object) => `---\n${stringify(object)}`)
      .join(''),
  );
}
