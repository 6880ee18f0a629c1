import { createLogger } from '@shop/core/log';
import { parseCommandLine, targetOf } from './arguments';
import { readSettings } from './settings';
import { openTarget } from './target';

/** `npm run backup`. @returns the exit code */
export async function backup(args: string[]): Promise<number> {
  const { positionals } = parseCommandLine(args, {});
  const settings = readSettings();
  openTarget(targetOf(positionals, settings), settings, createLogger('backup', 'warn'));
  return 1;
}
