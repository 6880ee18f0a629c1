import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { ContentCheck, IncomingFile } from './incoming';

/** Stores uploaded files in a folder or a bucket shared by all replicas. Uses only names that its `kindOf` recognizes. */
export interface Storage {
  /**
   * Receives a file while its bytes arrive. It cannot be read before `put`. After a crash, the leftover bytes are deleted
   * later. Rejects with whatever `content` or `check` throws.
   * @throws AppError `storage_unavailable`
   */
  receive(content: AsyncIterable<Buffer>, check?: ContentCheck): Promise<IncomingFile>;
  /**
   * Stores a received file under its name. The received file cannot be used afterwards, even if this fails. Resolves when the
   * bytes are durable. Never overwrites. A failure or a crash leaves nothing that can be read.
   * @throws AppError `storage_unavailable`
   */
  put(name: string, file: IncomingFile): Promise<void>;
  /**
   * Opens a file for a GET or HEAD; `sendFile` in http/ sends it. Tags in conditions are `*` or name no file.
   * @throws AppError `not_found`, `range_not_satisfiable`, `precondition_failed`, `storage_unavailable`
   */
  open(name: string, request: ReadRequest): Promise<OpenedFile>;
  /** Succeeds if the file does not exist. @throws AppError `storage_unavailable` */
  delete(name: string): Promise<void>;
  /** Deletes files that no row refers to. Never rejects: a failure is logged, and the sweep command finds the file. */
  discard(names: readonly string[]): Promise<void>;
  /** Lists every stored file. @throws AppError `storage_unavailable` */
  list(): AsyncIterable<StoredFile>;
}

/** A client's request for a file. Its headers may include ranges and conditions. */
interface ReadRequest {
  method: string;
  headers: IncomingHttpHeaders;
}

/** A local file, for which the sender evaluates range and conditions, or one from a bucket that has done so. */
type OpenedFile = { path: string } | FileFromBucket;

export interface FileFromBucket {
  /** The client's copy is current (304). */
  isUnchanged: boolean;
  /** Absent for a HEAD. */
  content?: Readable;
  /** Bytes of `content`. */
  length?: number | undefined;
  /** For example `bytes 0-9/100`, if `content` is only a part of the file. */
  range?: string | undefined;
  modifiedAt?: Date | undefined;
}

interface StoredFile {
  name: string;
  modifiedAt: Date;
}

/** The operations that the folder and the bucket implement differently. */
export type StorageBackend = Omit<Storage, 'discard'>;

/** An error that is reported together with all other errors in the settings. */
const requiredWhere = (path: string, where: string) => ({
  path: [path],
  message: `is required ${where}`,
  when: () => true,
});

/**
 * Settings of every service that stores or deletes files. With S3_BUCKET, files are stored in that bucket, and uploads are
 * buffered in UPLOAD_PATH until they are complete. Otherwise, files are stored in UPLOAD_PATH.
 */
export const storageSettings = z
  .object({
    UPLOAD_PATH: z.string().optional(),
    S3_BUCKET: z.string().optional(),
    S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be a URL such as https://s3.example.com' }).optional(),
    S3_REGION: z.string().default('us-east-1'),
    S3_ACCESS_KEY_ID: z.string().optional(),
    S3_SECRET_ACCESS_KEY: z.string().optional(),
  })
  .refine((set) => set.S3_BUCKET || set.UPLOAD_PATH, requiredWhere('UPLOAD_PATH', 'without S3_BUCKET'))
  .refine((set) => !set.S3_BUCKET || set.S3_ACCESS_KEY_ID, requiredWhere('S3_ACCESS_KEY_ID', 'with S3_BUCKET'))
  .refine((set) => !set.S3_BUCKET || set.S3_SECRET_ACCESS_KEY, requiredWhere('S3_SECRET_ACCESS_KEY', 'with S3_BUCKET'));

export type StorageSettings = z.output<typeof storageSettings>;
