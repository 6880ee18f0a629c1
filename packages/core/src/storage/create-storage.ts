import type { Logger } from '../log';
import type { KindOfName } from './file-kinds';
import { localStorage } from './local-storage';
import { s3Storage } from './s3-storage';
import type { Storage, StorageSettings } from './storage';

interface StorageDeps {
  logger: Logger;
  /** Returns the kind of a stored name, or undefined for any other name. */
  kindOf: KindOfName;
}

/** Creates the configured storage. Accesses neither disk nor network yet. */
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
          logger.error({ err: error, file: name }, 'could not delete an orphaned file, the sweep command finds it');
        }
      }
    },
  };
}
