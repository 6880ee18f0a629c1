import { ConfigError } from '@shop/core/config';
import { AppError } from '@shop/core/errors';
import { BackupError, reasonOf, UsageError } from './errors';

const USAGE = `usage: npm run backup -- TARGET
       npm run restore -- BACKUP [--until TIME] [--database NAME]
       npm run restore:drill -- BACKUP [--until TIME]
  TARGET           a folder, or s3://bucket/prefix with the S3_ settings; default: BACKUP_TARGET
  BACKUP           TARGET/ID, or TARGET for its newest backup
  --until TIME     also replays the server's binary log, up to this time, which is not included: 2026-11-27T10:30:00Z
  --database NAME  restores into this database of the same server instead of DB_NAME; it is created if it does not exist`;

/** Each returns the exit code. */
const commands = new Map<string, (args: string[]) => Promise<number>>([
  ['backup', async (args) => (await import('./backup.js')).backup(args)],
  ['restore', async (args) => (await import('./restore.js')).restore(args)],
  ['drill', async (args) => (await import('./drill.js')).drill(args)],
]);

async function main([name = '', ...args]: string[]): Promise<number> {
  const command = commands.get(name);
  if (!command) throw new UsageError(`unknown command "${name}", expected one of ${[...commands.keys()].join(', ')}`);
  return await command(args);
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    return 2;
  }
  // An AppError is the storage's or the bucket's. The system and the database's driver give their errors a code.
  const isExpected =
    error instanceof ConfigError || error instanceof BackupError || error instanceof AppError || hasCode(error);
  const name = process.argv[2];
  const isDenied = error instanceof Error && 'code' in error && error.code === 'ER_SPECIFIC_ACCESS_DENIED_ERROR';
  const help = isDenied
    ? '. `npm run migrate` sets up a user with the rights that this needs: see docs/backups.md.'
    : '';
  process.stderr.write(`${error instanceof ConfigError ? '' : `${name} failed: `}${reasonOf(error)}${help}\n`);
  if (!isExpected && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return 1;
}

const hasCode = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException | undefined)?.code === 'string';

main(process.argv.slice(2))
  .catch(report)
  .then((code) => process.exit(code));
