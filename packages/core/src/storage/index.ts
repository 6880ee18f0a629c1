export { type BucketSettings, createBucket } from './bucket';
export { createStorage } from './create-storage';
export { displayName, inspectFile, MAX_FILE_BYTES } from './file-content';
export { type FileKind, fileKinds, imageKinds, mediaTypeOf } from './file-kinds';
export { type ContentCheck, incomingFolder, type UploadedFile } from './incoming';
export { localStorage, syncFolder } from './local-storage';
export {
  type FileFromBucket,
  type Storage,
  type StorageSettings,
  storageSettings,
} from './storage';
