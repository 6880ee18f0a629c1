import { runCommand } from '@shop/core/service';
import { storageSettings } from '@shop/core/storage';
import { createUploadStorage, inShop } from '@shop/shop';
import { sweepStorage } from './sweep/sweep-storage';

const USAGE = `Usage: node services/file/dist/sweep.js [--delete]

Lists stored files that no upload and no product refers to (a process was killed between storing and recording them, or a
deletion failed). --delete removes them. Files younger than a day are never touched. First check that the settings name the
database that belongs to the storage: with any other database, every file looks unreferenced.
`;

/** Never runs automatically: with the wrong database every file would look like an orphan. */
const sweep = (remove: boolean): Promise<void> =>
  runCommand({
    ...inShop('file'),
    name: 'file-sweep',
    settings: storageSettings,
    async work({ db, logger }, settings) {
      const storage = createUploadStorage(settings, { logger });
      const { seen, orphans } = await sweepStorage({ db, storage }, { remove });
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
