import { createReadStream } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { GetObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import { AppError, notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors';
import type { Logger } from '../log';
import { type KindOfName, mediaTypeOf } from './file-kinds';
import { type IncomingFile, incomingFolder } from './incoming';
import type { FileFromBucket, StorageBackend, StorageSettings } from './storage';

const CONNECT_TIMEOUT_MS = 2000;
/** Until the headers of the response. */
const REQUEST_TIMEOUT_MS = 5000;
/** For a connection without any traffic. */
const SOCKET_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 2;

const ORPHAN = 'could not delete a file whose upload failed; if the bucket stored it, the sweep command finds it';

type S3Settings = StorageSettings & { S3_BUCKET: string };
interface StorageDeps {
  logger: Logger;
  kindOf: KindOfName;
}

type Sdk = typeof import('@aws-sdk/client-s3');

/** Files in an S3-compatible bucket. Uploads are buffered on disk first: see docs/decisions/0017-uploads.md. */
export function s3Storage(settings: S3Settings, { logger, kindOf }: StorageDeps): StorageBackend {
  const bucket = settings.S3_BUCKET;
  let opened: Promise<{ sdk: Sdk; client: S3Client }> | undefined;

  /** Loads the SDK on first use, because it is large. */
  async function open(): Promise<{ sdk: Sdk; client: S3Client }> {
    const sdk = await import('@aws-sdk/client-s3');
    return { sdk, client: connect(sdk, settings, logger) };
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

  const objectOf = (name: string) => {
    const kind = kindOf(name);
    if (!kind) throw new Error(`not a stored name: ${name}`);
    return { Bucket: bucket, Key: name, ContentType: mediaTypeOf(kind) };
  };

  /** The SDK cannot send a stream twice, so each attempt opens a new stream. */
  async function putObject(target: ReturnType<typeof objectOf>, file: IncomingFile): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const aborting = new AbortController();
      // The SDK adds no error listener. Without one, a read error would crash the process.
      const body = createReadStream(file.path).on('error', (error) => aborting.abort(error));
      try {
        const command = { ...target, Body: body, ContentLength: file.size };
        await run((sdk, client) => client.send(new sdk.PutObjectCommand(command), { abortSignal: aborting.signal }));
        return;
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || wasRefused(error)) throw error;
      } finally {
        body.destroy();
      }
    }
  }

  async function deleteObject({ Bucket, Key }: ReturnType<typeof objectOf>): Promise<void> {
    await run((sdk, client) => client.send(new sdk.DeleteObjectCommand({ Bucket, Key })));
  }

  return {
    ...incomingFolder(
      path.join(settings.UPLOAD_PATH || path.join(tmpdir(), `uploads-${settings.S3_BUCKET}`), '.incoming'),
    ),

    async put(name, file) {
      const target = objectOf(name);
      try {
        await putObject(target, file);
      } catch (error) {
        // The bucket may have stored the file without confirming it. Not awaited: the client has waited long enough.
        if (!wasRefused(error)) void deleteObject(target).catch((err) => logger.error({ err, file: name }, ORPHAN));
        throw error;
      } finally {
        await file.discard();
      }
    },

    async open(name, { method, headers }) {
      if (!kindOf(name)) throw notFound();
      const wanted: GetObjectCommandInput = { Bucket: bucket, Key: name, ...conditionsOf(headers) };
      try {
        if (method === 'HEAD') {
          return metadataOf(await run((sdk, client) => client.send(new sdk.HeadObjectCommand(wanted))));
        }
        const range = rangeOf(headers);
        const found = await run((sdk, client) => client.send(new sdk.GetObjectCommand({ ...wanted, ...range })));
        return { ...metadataOf(found), content: found.Body as Readable };
      } catch (error) {
        const cause = error instanceof AppError ? error.cause : undefined;
        // The SDK throws for a 304.
        if (statusOf(cause) === 304) return { isUnchanged: true, etag: headerOf(cause, 'etag') };
        throw error;
      }
    },

    delete: (name) => deleteObject(objectOf(name)),

    async *list() {
      let after: string | undefined;
      do {
        const from = after;
        const page = await run((sdk, client) =>
          client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, ...(from ? { ContinuationToken: from } : {}) })),
        );
        for (const { Key, LastModified } of page.Contents ?? []) {
          if (Key && LastModified && kindOf(Key)) yield { name: Key, modifiedAt: LastModified };
        }
        after = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (after);
    },
  };
}

function connect({ S3Client: Client }: Sdk, settings: S3Settings, logger: Logger): S3Client {
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
      requestTimeout: REQUEST_TIMEOUT_MS,
      socketTimeout: SOCKET_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

/** The bucket evaluates ranges and conditions, because it knows ETag, date and size. */
function conditionsOf(headers: IncomingHttpHeaders): Partial<GetObjectCommandInput> {
  const { 'if-none-match': noneMatch, 'if-match': match } = headers;
  const modifiedSince = dateIn(headers['if-modified-since']);
  const unmodifiedSince = dateIn(headers['if-unmodified-since']);
  return {
    ...(noneMatch ? { IfNoneMatch: noneMatch } : {}),
    ...(match ? { IfMatch: match } : {}),
    // If both are present, the ETag takes precedence (RFC 9110, 13.2.2).
    ...(modifiedSince && !noneMatch ? { IfModifiedSince: modifiedSince } : {}),
    ...(unmodifiedSince && !match ? { IfUnmodifiedSince: unmodifiedSince } : {}),
  };
}

/** S3 does not support If-Range. Sending the whole file instead of a range is always valid. */
const rangeOf = ({ range, 'if-range': ifRange }: IncomingHttpHeaders): Pick<GetObjectCommandInput, 'Range'> =>
  range?.startsWith('bytes=') && !ifRange ? { Range: range } : {};

function dateIn(header = ''): Date | undefined {
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

interface FoundObject {
  ContentLength?: number | undefined;
  ContentRange?: string | undefined;
  ETag?: string | undefined;
  LastModified?: Date | undefined;
}

const metadataOf = ({ ContentLength, ContentRange, ETag, LastModified }: FoundObject): FileFromBucket => ({
  isUnchanged: false,
  length: ContentLength,
  range: ContentRange,
  etag: ETag,
  modifiedAt: LastModified,
});

interface SdkFailure {
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string> };
}

const statusOf = (error: unknown): number | undefined => (error as SdkFailure | undefined)?.$metadata?.httpStatusCode;
const headerOf = (error: unknown, name: string): string | undefined =>
  (error as SdkFailure | undefined)?.$response?.headers?.[name];

/** The bucket rejected the request. It stored nothing, and a retry would be rejected too. */
function wasRefused(error: unknown): boolean {
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
