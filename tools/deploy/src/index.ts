import { composePointsAtWhatIsThere, composeSuitsSwarm } from './compose';
import { poolsFitMysql } from './connections';
import { settingsComeFromTheirOwnNames } from './credentials';
import { environmentIsWhatServicesRead } from './environment';
import type { DeployFiles } from './files';
import { namesAgreeEverywhere } from './names';
import { servicesTrustNginx } from './network';
import { nginxAcceptsItsConfiguration } from './nginx';
import { podsAreSafe } from './pods';
import { policiesAllowWhatIsNeeded } from './policies';
import { portsAreListenedOn } from './ports';
import { type Check, type Problem, shownProblem } from './problem';
import { manifestsPointAtWhatIsThere } from './references';
import { composeFitsItsSpecification, manifestsFitKubernetes } from './schemas';
import { shellScriptsAreClean } from './shell';
import { stoppingTakesItsTime } from './shutdown';
import { dataIsKept } from './storage';
import { yamlIsWellFormed } from './yaml';

/** Groups run one after the other. If one finds problems, the next ones are skipped, because their results would be confusing. */
const groups: Record<string, Check>[] = [
  { yaml: yamlIsWellFormed },
  { 'compose-schema': composeFitsItsSpecification, 'kubernetes-schema': manifestsFitKubernetes },
  {
    'compose-references': composePointsAtWhatIsThere,
    swarm: composeSuitsSwarm,
    'kubernetes-references': manifestsPointAtWhatIsThere,
    pods: podsAreSafe,
    shutdown: stoppingTakesItsTime,
    policies: policiesAllowWhatIsNeeded,
    names: namesAgreeEverywhere,
    ports: portsAreListenedOn,
    network: servicesTrustNginx,
    storage: dataIsKept,
    credentials: settingsComeFromTheirOwnNames,
    environment: environmentIsWhatServicesRead,
    connections: poolsFitMysql,
    nginx: nginxAcceptsItsConfiguration,
    shell: shellScriptsAreClean,
  },
];

/** Single checks, for tests. */
export const checks: Readonly<Record<string, Check>> = Object.assign({}, ...groups);

export const checkNames: readonly string[] = Object.keys(checks);

/** Checks everything about the deployment files that can be checked without deploying them. */
export async function checkDeploy(files: DeployFiles): Promise<Problem[]> {
  for (const group of groups) {
    const found = await Promise.all(
      Object.entries(group).map(async ([check, look]) => (await look(files)).map((problem) => ({ check, ...problem }))),
    );
    // A mistake in a shared block is found for each service that uses it. Report it only once.
    const different = new Map(found.flat().map((problem) => [shownProblem(problem), problem]));
    if (different.size > 0) return [...different.values()];
  }
  return [];
}
