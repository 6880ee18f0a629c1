import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { IncomingFile } from './incoming';

/** Where uploaded bytes are kept: a folder or a bucket that all replicas share. It takes and gives names that its `kindOf` knows. */
export interface Storage {
  /**
   * Takes in a file as its bytes arrive. Nothing can read it before `put`, so a crash leaves only bytes that are deleted
   * later. Rejects with whatever `content` throws.
   * @throws AppError `storage_unavailable`
   */
  receive(content: AsyncIterable<Buffer>): Promise<IncomingFile>;
  /**
   * Stores a received file under its name, and uses it up, also when it fails. Resolves when the bytes are durable. Never
   * overwrites; a failure or a crash leaves nothing that can be read.
   * @throws AppError `storage_unavailable`
   */
  put(name: string, file: IncomingFile): Promise<void>;
  /**
   * Opens a file for a GET or HEAD; `sendFile` in http/ sends it.
   * @throws AppError `not_found`, `range_not_satisfiable`, `precondition_failed`, `storage_unavailable`
   */
  open(name: string, request: ReadRequest): Promise<OpenedFile>;
  /** A name that is not there is fine. @throws AppError `storage_unavailable` */
  delete(name: string): Promise<void>;
  /** Deletes what no row points to any more. Never rejects: what could not go is logged, and `sweep` finds it. */
  discard(names: readonly string[]): Promise<void>;
  /** Every stored file. @throws AppError `storage_unavailable` */
  list(): AsyncIterable<StoredFile>;
}

/** What a client asks of a file: its method, and the headers of ranges and conditions among its headers. */
export interface ReadRequest {
  method: string;
  headers: IncomingHttpHeaders;
}

/** On this machine, for the sender to judge range and conditions; or from a bucket, which has judged them. */
export type OpenedFile = { path: string } | FileFromBucket;

export interface FileFromBucket {
  /** The client's own copy is current. */
  isUnchanged: boolean;
  /** Absent where only the facts are wanted. */
  content?: Readable;
  /** Bytes of `content`. */
  length?: number | undefined;
  /** `bytes 0-9/100` where `content` is a part of the file. */
  range?: string | undefined;
  etag?: string | undefined;
  modifiedAt?: Date | undefined;
}

export interface StoredFile {
  name: string;
  modifiedAt: Date;
}

/** What the folder and the bucket each do in their own way. */
export type StorageBackend = Omit<Storage, 'discard'>;

/** Said beside whatever else is wrong with the settings. */
const requiredWhere = (path: string, where: string) => ({
  path: [path],
  message: `is required ${where}`,
  when: () => true,
});

/**
 * Settings of every service that stores or removes files. S3_BUCKET chooses the bucket, otherwise UPLOAD_PATH is the folder;
 * with a bucket, uploads wait in UPLOAD_PATH until they are whole.
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
