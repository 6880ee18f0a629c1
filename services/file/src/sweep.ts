import { createStorage, runCommand, storageSettings } from '@shop/core';
import { referenceRepository } from './sweep/reference.repository';
import { sweepStorage } from './sweep/sweep-storage';

const USAGE = `Usage: node services/file/dist/sweep.js [--delete]

Lists stored files that no upload and no product points to (a process was killed between storing and recording them, or a
deletion failed). --delete removes them. Files younger than a day are never touched. Check first that the settings name the
database that belongs to the storage: any other one knows none of its files.
`;

/** Never runs by itself: with the wrong database it would take all files for orphans. */
const sweep = (remove: boolean): Promise<void> =>
  runCommand({
    name: 'file-sweep',
    portKey: 'FILE_PORT',
    settings: storageSettings,
    async work({ db, logger }, settings) {
      const find = sweepStorage({ storage: createStorage(settings, { logger }), references: referenceRepository(db) });
      const { seen, orphans } = await find({ remove });
      for (const name of orphans) process.stdout.write(`${name}\n`);
      process.stdout.write(`${seen} files, ${orphans.length} orphans${remove ? ' deleted' : ''}\n`);
    },
  });

const args = process.argv.slice(2);
if (args.length === 0 || (args.length === 1 && args[0] === '--delete')) {
  void sweep(args.length === 1);
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}
