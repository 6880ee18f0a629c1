import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import send from 'send';
import { type AppError, notFound, preconditionFailed, rangeNotSatisfiable, storageUnavailable } from '../errors';
import type { FileFromBucket, Storage } from '../storage';

/**
 * The response to a GET or HEAD of a stored file. Supports ranges and conditional requests.
 * @param headers set on a 200, 206 or 304, but not on an error response
 */
export const sendFile = (storage: Pick<Storage, 'open'>, name: string, headers: Record<string, string>) => ({
  status: 200 as const,
  async write(req: Request, res: Response): Promise<void> {
    const file = await storage.open(name, req);
    if ('path' in file) await sendFromDisk(file.path, req, res, headers);
    else await sendFromBucket(file, res, headers);
  },
});

/** Set by `send` before it checks ranges and conditions. An error response must not have them. */
const FILE_HEADERS = ['Accept-Ranges', 'Cache-Control', 'Content-Range', 'ETag', 'Last-Modified'];

function sendFromDisk(file: string, req: Request, res: Response, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { root: path.dirname(file), index: false, dotfiles: 'ignore', cacheControl: false } as const;
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
  { isUnchanged, content, length, range, etag, modifiedAt }: FileFromBucket,
  res: Response,
  headers: Record<string, string>,
): Promise<void> {
  if (etag) res.setHeader('ETag', etag);
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
