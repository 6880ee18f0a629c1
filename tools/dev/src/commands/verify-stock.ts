import { spawn } from 'node:child_process';
import path from 'node:path';
import { repoRoot } from '@shop/test-servers';

/** Runs the transaction service's command with this process's environment. */
export function verifyStock(): Promise<number> {
  const script = path.join(repoRoot, 'services/transaction/dist/verify-stock.js');
  const child = spawn(process.execPath, [script], { cwd: repoRoot, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}
