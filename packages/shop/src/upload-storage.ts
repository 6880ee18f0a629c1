import type { Logger } from '@shop/core/log';
import { createStorage, type Storage, type StorageSettings } from '@shop/core/storage';
import { kindOfStoredName } from './stored-name';

/** Where the uploads of all services are kept: a folder or a bucket that holds nothing else. */
export const createUploadStorage = (settings: StorageSettings, { logger }: { logger: Logger }): Storage =>
  createStorage(settings, { logger, kindOf: kindOfStoredName });
