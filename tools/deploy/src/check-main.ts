import { services } from '@shop/shop/services';
import { repoRoot, runMain } from '@shop/test-servers';
import { checkDeployment, checks } from './check';
import { filesBelow } from './check/files';

/** `npm run deploy:check`: prints the problems in the deployment files. Exit code 1 if there are any. */
runMain(async () => {
  const problems = await checkDeployment(filesBelow(repoRoot), services);
  const summary =
    problems.length > 0 ? `${problems.length} problems` : `no problems; checked: ${Object.keys(checks).join(', ')}`;
  for (const line of [...problems, summary]) console.log(line);
  return problems.length > 0 ? 1 : 0;
});
