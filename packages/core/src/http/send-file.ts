import type { IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import send from 'send';
import { type AppError, notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors';
import { entityTag, tagNamedBy } from '../preconditions';
import type { FileFromBucket, Storage } from '../storage';

/**
 * The response to a GET or HEAD of a stored file. Supports ranges and conditional requests. The tag comes from the name: the
 * bytes of a stored name never change, and folders and buckets have tags of different kinds.
 * @param headers set on a 200, 206 or 304, but not on an error response
 */
export const sendFile = (storage: Pick<Storage, 'open'>, name: string, headers: Record<string, string>) => ({
  status: 200 as const,
  async write(req: Request, res: Response): Promise<void> {
    const tag = entityTag(JSON.stringify(name));
    compareTags(req.headers, tag);
    const file = await storage.open(name, req);
    const withTag = { ...headers, ETag: tag };
    if ('path' in file) await sendFromDisk(file.path, req, res, withTag);
    else await sendFromBucket(file, res, withTag);
  },
});

/** A list of tags that names none. */
const NO_TAG = '"-"';

/**
 * Compares the tags as RFC 9110 says, and leaves conditions that come out the same however they are compared: `send` compares
 * If-Match and If-Range weakly, and a bucket compares with tags of its own. They still evaluate dates and ranges.
 */
function compareTags(headers: IncomingHttpHeaders, tag: string): void {
  const { 'if-match': match, 'if-none-match': noneMatch, 'if-range': range } = headers;
  if (match !== undefined) headers['if-match'] = tagNamedBy(match, [tag], 'strong') ? '*' : NO_TAG;
  if (noneMatch !== undefined) headers['if-none-match'] = tagNamedBy(noneMatch, [tag], 'weak') ? '*' : NO_TAG;
  if (range === tag) delete headers['if-range'];
  else if (range?.includes('"')) headers['if-range'] = NO_TAG;
  // `send` takes `no-cache` for a wish for the whole file. Browsers add it to every fetch that sets If-None-Match itself.
  delete headers['cache-control'];
}

/** Set by `send` before it checks ranges and conditions. An error response must not have them. */
const FILE_HEADERS = ['Accept-Ranges', 'Cache-Control', 'Content-Range', 'ETag', 'Last-Modified'];

function sendFromDisk(file: string, req: Request, res: Response, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      root: path.dirname(file),
      index: false,
      dotfiles: 'ignore',
      cacheControl: false,
      etag: false,
    } as const;
    const stream = send(req, `/${path.basename(file)}`, options);
    stream.on('headers', () => {
      res.set(headers);
    });
    stream.on('directory', () => reject(notFound()));
    stream.on('error', (error: SendError) => {
      if (!res.headersSent) for (const header of [...FILE_HEADERS, ...Object.keys(headers)]) res.removeHeader(header);
      reject(sendError(error));
    });
    res.once('close', resolve);
    stream.pipe(res);
  });
}

interface SendError extends Error {
  status: number;
  headers?: Record<string, string>;
}

function sendError(error: SendError): AppError {
  if (error.status === 404 || error.status === 403) return notFound();
  if (error.status === 412) return preconditionFailed();
  if (error.status === 416) return rangeNotSatisfiable({ headers: error.headers ?? {} });
  return storageUnavailable({ cause: error });
}

async function sendFromBucket(
  { isUnchanged, content, length, range, modifiedAt }: FileFromBucket,
  res: Response,
  headers: Record<string, string>,
): Promise<void> {
  if (isUnchanged) {
    const { 'Content-Type': _, ...rest } = headers;
    res.status(304).set(rest).end();
    return;
  }
  res.status(range ? 206 : 200).set({ ...headers, 'Accept-Ranges': 'bytes' });
  if (range) res.setHeader('Content-Range', range);
  if (length !== undefined) res.setHeader('Content-Length', length);
  if (modifiedAt) res.setHeader('Last-Modified', modifiedAt.toUTCString());
  if (!content) {
    res.end();
    return;
  }
  await pipeline(content, res).catch((error) => {
    // The client or the bucket disconnected. A client that is still connected notices the truncated body.
    res.destroy(error);
  });
}
