import { createReadStream } from 'node:fs';
import type { S3Client } from '@aws-sdk/client-s3';
import { AppError, notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors';
import type { Logger } from '../log';
import type { IncomingFile } from './incoming';
import type { StorageSettings } from './storage';

const CONNECT_TIMEOUT_MS = 2000;
const MAX_ATTEMPTS = 2;

/** The service's waits, for files of a few megabytes. */
const UPLOAD_TIMEOUTS = {
  /** Until the headers of the response. */
  requestTimeout: 5000,
  /** For a connection without any traffic. */
  socketTimeout: 10_000,
};

export type BucketSettings = StorageSettings & { S3_BUCKET: string };

type Sdk = typeof import('@aws-sdk/client-s3');

interface BucketDeps {
  logger: Logger;
  /** For larger files: no limit for a whole request (`requestTimeout: 0`), and a longer one for silence. */
  timeouts?: typeof UPLOAD_TIMEOUTS;
}

interface BucketObject {
  name: string;
  size: number;
  modifiedAt: Date;
}

/** An S3-compatible bucket, for objects of any name. */
export interface Bucket {
  /** Runs a command of the SDK. @throws AppError `not_found`, `range_not_satisfiable`, `precondition_failed`, `storage_unavailable` */
  run<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T>;
  /** Stores a file from the disk, and replaces an object of this name. */
  putFile(name: string, file: Pick<IncomingFile, 'save' | 'size'>, contentType: string): Promise<void>;
  /** Succeeds if the object does not exist. */
  delete(name: string): Promise<void>;
  list(prefix?: string): AsyncIterable<BucketObject>;
}

/** Accesses no network yet. */
export function createBucket(settings: BucketSettings, deps: BucketDeps): Bucket {
  const Bucket = settings.S3_BUCKET;
  let opened: Promise<{ sdk: Sdk; client: S3Client }> | undefined;

  /** Loads the SDK on first use, because it is large. */
  async function open(): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await import('@aws-sdk/client-s3');
    return { sdk, client: connect(sdk, settings, deps) };
  }

  async function run<T>(work: (sdk: Sdk, client: S3Client) => Promise<T>): Promise<T> {
    try {
      opened ??= open();
      const { sdk, client } = await opened;
      return await work(sdk, client);
    } catch (error) {
      throw storageError(error);
    }
  }

  return {
    run,

    /** The SDK cannot send a stream twice, so each attempt opens a new stream. */
    async putFile(name, file, contentType) {
      const path = await file.save();
      for (let attempt = 1; ; attempt += 1) {
        const aborting = new AbortController();
        // The SDK adds no error listener. Without one, a read error would crash the process.
        const body = createReadStream(path).on('error', (error) => aborting.abort(error));
        try {
          const command = { Bucket, Key: name, ContentType: contentType, Body: body, ContentLength: file.size };
          await run((sdk, client) => client.send(new sdk.PutObjectCommand(command), { abortSignal: aborting.signal }));
          return;
        } catch (error) {
          if (attempt === MAX_ATTEMPTS || wasRefused(error)) throw error;
        } finally {
          body.destroy();
        }
      }
    },

    async delete(name) {
      await run((sdk, client) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key: name })));
    },

    async *list(prefix = '') {
      let after: string | undefined;
      do {
        const page = { Bucket, ...(prefix && { Prefix: prefix }), ...(after && { ContinuationToken: after }) };
        const found = await run((sdk, client) => client.send(new sdk.ListObjectsV2Command(page)));
        for (const { Key, Size = 0, LastModified } of found.Contents ?? []) {
          if (Key && LastModified) yield { name: Key, size: Size, modifiedAt: LastModified };
        }
        after = found.IsTruncated ? found.NextContinuationToken : undefined;
      } while (after);
    },
  };
}

function connect({ S3Client: Client }: Sdk, settings: BucketSettings, { logger, timeouts }: BucketDeps): S3Client {
  return new Client({
    region: settings.S3_REGION,
    credentials: {
      accessKeyId: settings.S3_ACCESS_KEY_ID ?? '',
      secretAccessKey: settings.S3_SECRET_ACCESS_KEY ?? '',
    },
    // A self-hosted server rarely has a DNS name for each bucket.
    ...(settings.S3_ENDPOINT ? { endpoint: settings.S3_ENDPOINT, forcePathStyle: true } : {}),
    maxAttempts: MAX_ATTEMPTS,
    // By default the SDK would print to the console that it cannot retry a stream, but `putObject` retries. Other lines
    // are noise.
    logger: {
      trace() {},
      debug() {},
      info() {},
      warn: (text) => logger.debug(text),
      error: (text) => logger.error(text),
    },
    // Not every S3-compatible server supports the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      ...(timeouts ?? UPLOAD_TIMEOUTS),
      throwOnRequestTimeout: true,
    },
  });
}

interface SdkFailure {
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

export const statusOf = (error: unknown): number | undefined =>
  (error as SdkFailure | undefined)?.$metadata?.httpStatusCode;
const headerOf = (error: unknown, name: string): string | undefined =>
  (error as SdkFailure | undefined)?.$response?.headers?.[name];

/** The bucket rejected the request. It stored nothing, and a retry would be rejected too. */
export function wasRefused(error: unknown): boolean {
  const status = (error instanceof AppError && statusOf(error.cause)) || 500;
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function storageError(error: unknown): AppError {
  const status = statusOf(error);
  const isMissingBucket = error instanceof Error && error.name === 'NoSuchBucket';
  if (status === 404 && !isMissingBucket) return notFound();
  if (status === 412) return preconditionFailed();
  if (status === 416) {
    const range = headerOf(error, 'content-range');
    return rangeNotSatisfiable({ headers: range ? { 'Content-Range': range } : {} });
  }
  return storageUnavailable({ cause: error });
}
