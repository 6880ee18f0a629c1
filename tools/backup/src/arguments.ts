import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './errors';
import type { Settings } from './settings';

/** @throws UsageError */
export function parseCommandLine<T extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: T,
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>> {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The only positional argument, or BACKUP_TARGET. */
export function targetOf(positionals: string[], { BACKUP_TARGET }: Pick<Settings, 'BACKUP_TARGET'>): string {
  const [target = BACKUP_TARGET, ...more] = positionals;
  if (target === undefined) throw new UsageError('TARGET is missing');
  if (more.length > 0) throw new UsageError(`there is one TARGET, but got "${more.join('", "')}" too`);
  return target;
}
