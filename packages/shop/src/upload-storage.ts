import type { Logger } from '@shop/core/log';
import { createStorage, type Storage, type StorageSettings } from '@shop/core/storage';
import { kindOfStoredName } from './stored-name';

/** The storage for the uploads of all services: a folder or a bucket used for nothing else. */
export const createUploadStorage = (settings: StorageSettings, { logger }: { logger: Logger }): Storage =>
  createStorage(settings, { logger, kindOf: kindOfStoredName });
