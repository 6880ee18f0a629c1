import type { ServiceTable } from '@shop/shop/services';
import { binaryLogIsOn } from './binary-log';
import type { Check } from './check';
import { composeRefersToWhatExists } from './compose-references';
import { poolsFitMysql } from './connections';
import { settingsComeFromTheirOwnNames } from './credentials';
import { environmentIsWhatServicesRead } from './environment';
import type { DeployFiles } from './files';
import { containersAreHardened } from './hardening';
import { imagesAgree } from './images';
import { nginxAcceptsItsConfiguration } from './nginx';
import { policiesAllowWhatIsNeeded } from './policies';
import { manifestsReferToWhatExists } from './references';
import { generatedFilesAreRendered } from './rendered';
import { composeFitsItsSpecification, manifestsFitKubernetes } from './schemas';
import { shellScriptsAreClean } from './shell';
import { stoppingTakesItsTime } from './shutdown';
import { dataIsOnVolumes } from './storage';
import { yamlIsWellFormed } from './yaml';

/** Groups run one after the other. If one finds problems, the next ones are skipped, because their results would be confusing. */
const groups: Record<string, Check>[] = [
  { yaml: yamlIsWellFormed },
  { 'compose-schema': composeFitsItsSpecification, 'kubernetes-schema': manifestsFitKubernetes },
  {
    rendered: generatedFilesAreRendered,
    references: manifestsReferToWhatExists,
    'compose-references': composeRefersToWhatExists,
    storage: dataIsOnVolumes,
    hardening: containersAreHardened,
    images: imagesAgree,
    shutdown: stoppingTakesItsTime,
    policies: policiesAllowWhatIsNeeded,
    credentials: settingsComeFromTheirOwnNames,
    environment: environmentIsWhatServicesRead,
    connections: poolsFitMysql,
    'binary-log': binaryLogIsOn,
    nginx: nginxAcceptsItsConfiguration,
    shell: shellScriptsAreClean,
  },
];

/** Single checks, for tests. */
export const checks: Readonly<Record<string, Check>> = Object.assign({}, ...groups);

/** Checks what rendering the deployment files cannot guarantee, without deploying them. @returns the problems */
export async function checkDeployment(files: DeployFiles, table: ServiceTable): Promise<string[]> {
  for (const group of groups) {
    const found: string[] = [];
    for (const [name, check] of Object.entries(group)) {
      for (const problem of await check(files, table)) found.push(`${problem} [${name}]`);
    }
    // A mistake in a shared block is found for each service that uses it. Report it only once.
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}
