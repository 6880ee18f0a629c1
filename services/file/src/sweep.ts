import {
  ConfigError,
  createDatabase,
  createLogger,
  createMetrics,
  createStorage,
  loadConfig,
  storageSettings,
} from '@shop/core';
import { referenceRepository } from './sweep/reference.repository';
import { sweepStorage } from './sweep/sweep-storage';

const USAGE = `Usage: node services/file/dist/sweep.js [--delete]

Lists stored files that no upload and no product points to (a process was killed between storing and recording them, or a
deletion failed). --delete removes them. Files younger than a day are never touched. Check first that the settings name the
database that belongs to the storage: any other one knows none of its files.
`;

/** The operator's command that finds orphaned files. Never runs by itself: with the wrong database it would find them all. */
async function main(args: string[]): Promise<void> {
  const remove = args[0] === '--delete';
  if (args.length > (remove ? 1 : 0)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const { core, own } = loadConfig('FILE_PORT', storageSettings);
  const logger = createLogger('file-sweep', core.logLevel);
  const db = createDatabase(core.db, { logger, metrics: createMetrics('file-sweep') });
  try {
    const sweep = sweepStorage({ storage: createStorage(own, { logger }), references: referenceRepository(db) });
    const { seen, orphans } = await sweep({ remove });
    for (const name of orphans) process.stdout.write(`${name}\n`);
    process.stdout.write(`${seen} files, ${orphans.length} orphans${remove ? ' deleted' : ''}\n`);
  } finally {
    await db.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const words = error instanceof ConfigError ? error.message : `The sweep failed: ${String(error)}`;
  process.stderr.write(`${words}\n`);
  process.exitCode = 1;
});
