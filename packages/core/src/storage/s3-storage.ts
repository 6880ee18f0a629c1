import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { GetObjectCommandInput } from '@aws-sdk/client-s3';
import { AppError, notFound } from '../errors';
import type { Logger } from '../log';
import { type BucketSettings, createBucket, statusOf, wasRefused } from './bucket';
import { type FileKind, type KindOfName, mediaTypeOf } from './file-kinds';
import { incomingFolder } from './incoming';
import type { FileFromBucket, StorageBackend } from './storage';

const ORPHAN = 'could not delete a file whose upload failed; if the bucket stored it, the sweep command finds it';

interface StorageDeps {
  logger: Logger;
  kindOf: KindOfName;
}

/** Files in an S3-compatible bucket. Uploads are buffered on disk first: see docs/decisions/0017-uploads.md. */
export function s3Storage(settings: BucketSettings, { logger, kindOf }: StorageDeps): StorageBackend {
  const bucket = createBucket(settings, { logger });

  const assertKind = (name: string): FileKind => {
    const kind = kindOf(name);
    if (!kind) throw new Error(`not a stored name: ${name}`);
    return kind;
  };

  return {
    ...incomingFolder(
      path.join(settings.UPLOAD_PATH || path.join(tmpdir(), `uploads-${settings.S3_BUCKET}`), '.incoming'),
    ),

    async put(name, file) {
      const contentType = mediaTypeOf(assertKind(name));
      try {
        await bucket.putFile(name, file, contentType);
      } catch (error) {
        // The bucket may have stored the file without confirming it. Not awaited: the client has waited long enough.
        if (!wasRefused(error)) void bucket.delete(name).catch((err) => logger.error({ err, file: name }, ORPHAN));
        throw error;
      } finally {
        await file.discard();
      }
    },

    async open(name, { method, headers }) {
      if (!kindOf(name)) throw notFound();
      const wanted: GetObjectCommandInput = { Bucket: settings.S3_BUCKET, Key: name, ...conditionsOf(headers) };
      try {
        if (headers['if-none-match'] === '*') {
          await bucket.run((sdk, client) => client.send(new sdk.HeadObjectCommand(wanted)));
          return { isUnchanged: true };
        }
        if (method === 'HEAD') {
          return metadataOf(await bucket.run((sdk, client) => client.send(new sdk.HeadObjectCommand(wanted))));
        }
        const range = rangeOf(headers);
        const found = await bucket.run((sdk, client) => client.send(new sdk.GetObjectCommand({ ...wanted, ...range })));
        return { ...metadataOf(found), content: found.Body as Readable };
      } catch (error) {
        const cause = error instanceof AppError ? error.cause : undefined;
        // The SDK throws for a 304.
        if (statusOf(cause) === 304) return { isUnchanged: true };
        throw error;
      }
    },

    async delete(name) {
      assertKind(name);
      await bucket.delete(name);
    },

    async *list() {
      for await (const { name, modifiedAt } of bucket.list()) {
        if (kindOf(name)) yield { name, modifiedAt };
      }
    },
  };
}

/** The bucket evaluates ranges and dates, and whether there is a file to match. Not every bucket knows `*`. */
function conditionsOf(headers: IncomingHttpHeaders): Partial<GetObjectCommandInput> {
  const { 'if-none-match': noneMatch, 'if-match': match } = headers;
  const modifiedSince = dateIn(headers['if-modified-since']);
  const unmodifiedSince = dateIn(headers['if-unmodified-since']);
  return {
    ...(match && match !== '*' ? { IfMatch: match } : {}),
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
  LastModified?: Date | undefined;
}

const metadataOf = ({ ContentLength, ContentRange, LastModified }: FoundObject): FileFromBucket => ({
  isUnchanged: false,
  length: ContentLength,
  range: ContentRange,
  modifiedAt: LastModified,
});
