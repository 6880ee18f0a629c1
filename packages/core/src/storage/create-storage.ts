import type { Logger } from '../log';
import { localStorage } from './local-storage';
import { s3Storage } from './s3-storage';
import type { Storage, StorageSettings } from './storage';

/** The storage that the settings name. Touches nothing yet. */
export function createStorage(settings: StorageSettings, { logger }: { logger: Logger }): Storage {
  const { S3_BUCKET: bucket, UPLOAD_PATH: folder } = settings;
  const backend = bucket
    ? s3Storage({ ...settings, S3_BUCKET: bucket }, { logger })
    : localStorage(folder ?? '.data/uploads');
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
