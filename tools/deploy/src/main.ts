import { repoRoot, runMain } from '@shop/test-servers';
import { filesBelow } from './files';
import { checkDeploy, checkNames } from './index';
import { shownProblem } from './problem';

/** `npm run check:deploy`: prints the problems in the deployment files. Exit code 1 if there are any. */
async function main(): Promise<number> {
  const problems = await checkDeploy(filesBelow(repoRoot));
  for (const problem of problems) console.log(shownProblem(problem));
  console.log(problems.length > 0 ? `${problems.length} problems` : `no problems; checked: ${checkNames.join(', ')}`);
  return problems.length > 0 ? 1 : 0;
}

runMain(main);
