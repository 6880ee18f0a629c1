import { spawnSync } from 'node:child_process';
import { OperatorError } from './errors';

/** Runs nginx/limits.sh (as `script`) to compute the numbers for nginx's templates, as containers do. */
export function limitVariables(script: string, settings: Record<string, string>): Map<string, string> {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, 'limits.sh', 'env'], {
    env: { PATH: process.env.PATH, ...settings },
    encoding: 'utf8',
  });
  if (status !== 0) throw new OperatorError(`nginx: ${stderr.trim()}`);
  return new Map([...stdout.matchAll(/^(NGINX_\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
