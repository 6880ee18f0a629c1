import type { Logger } from '../log';
import type { KindOfName } from './file-kinds';
import { localStorage } from './local-storage';
import { s3Storage } from './s3-storage';
import type { Storage, StorageSettings } from './storage';

interface StorageDeps {
  logger: Logger;
  /** Which names this storage gives its files. */
  kindOf: KindOfName;
}

/** The storage that the settings name. Touches nothing yet. */
export function createStorage(settings: StorageSettings, { logger, kindOf }: StorageDeps): Storage {
  const { S3_BUCKET: bucket, UPLOAD_PATH: folder } = settings;
  const backend = bucket
    ? s3Storage({ ...settings, S3_BUCKET: bucket }, { logger, kindOf })
    : localStorage(folder ?? '.data/uploads', kindOf);
  return {
    ...backend,
    async discard(names) {
      for (const name of names) {
        try {
          await backend.delete(name);
        } catch (error) {
          logger.error({ err: error, file: name }, 'a file that nothing points to any more could not be deleted');
        }
      }
    },
  };
}
