export { createStorage } from './create-storage';
export { displayName, inspectFile, MAX_FILE_BYTES } from './file-content';
export { type FileKind, fileKinds, imageKinds, type KindOfName, mediaTypeOf } from './file-kinds';
export type { IncomingFile, UploadedFile } from './incoming';
export { localStorage } from './local-storage';
export {
  type FileFromBucket,
  type OpenedFile,
  type ReadRequest,
  type Storage,
  type StorageSettings,
  type StoredFile,
  storageSettings,
} from './storage';
