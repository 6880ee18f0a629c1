import { createStorage, type ServiceDefinition, storageSettings } from '@shop/core';
import { deleteFile } from './files/delete-file';
import { fileEndpoints } from './files/file.endpoints';
import { fileRepository } from './files/file.repository';
import { listFiles } from './files/list-files';
import { uploadFile } from './files/upload-file';

export const fileService: ServiceDefinition<typeof storageSettings> = {
  name: 'file',
  portKey: 'FILE_PORT',
  settings: storageSettings,
  tables: ['files'],
  endpoints: ({ db, logger }, settings) => {
    const files = fileRepository(db);
    const storage = createStorage(settings, { logger });
    return fileEndpoints({
      uploadFile: uploadFile({ files, storage, logger }),
      listFiles: listFiles({ files }),
      deleteFile: deleteFile({ files, storage }),
      storage,
    });
  },
};
