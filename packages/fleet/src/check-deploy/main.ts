import { operatorMessage } from '../errors';
import { repoRoot } from '../paths';
import { checkDeploy, checkNames } from '.';
import { filesBelow } from './files';
import { shownProblem } from './problem';

/** `npm run check:deploy`: prints the problems in the deployment files. Exit code 1 if there are any. */
async function main(): Promise<void> {
  const problems = await checkDeploy(filesBelow(repoRoot));
  for (const problem of problems) console.log(shownProblem(problem));
  console.log(problems.length > 0 ? `${problems.length} problems` : `no problems; checked: ${checkNames.join(', ')}`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  console.error('error:', operatorMessage(error) ?? error);
  process.exitCode = 1;
});
