import { runMain, UsageError } from '@shop/test-servers';
import { status, url } from './status';
import { stop } from './stop';

/** Each returns the exit code. Those that read settings are loaded when they are used: zod would slow the others down. */
const commands = new Map<string, (args: string[]) => Promise<number>>([
  ['up', async (args) => (await import('./up.js')).up(args)],
  ['status', status],
  ['stop', stop],
  ['url', url],
  ['db-apply', async () => (await import('./db-apply.js')).dbApply()],
  ['migrate', async (args) => (await import('./db-apply.js')).migrate(args)],
  ['backup', async (args) => (await import('./db-apply.js')).backup('backup', args)],
  ['restore', async (args) => (await import('./db-apply.js')).backup('restore', args)],
  ['restore-drill', async (args) => (await import('./db-apply.js')).backup('drill', args)],
  ['verify-stock', async () => (await import('./db-apply.js')).verifyStock()],
]);

const takesArguments = new Set(['up', 'migrate', 'backup', 'restore', 'restore-drill']);

runMain(async ([name = 'up', ...args]) => {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command "${name}", expected one of ${[...commands.keys()].join(', ')}`);
  if (!takesArguments.has(name) && args.length > 0)
    throw new UsageError(`${name} takes no arguments, but got "${args[0]}"`);
  return command(args);
});
