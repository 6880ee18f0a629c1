import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';
import { entityTag, gzipTag, tagNamedBy } from '../preconditions';
import { setHeaderList } from './header-list';
import type { MaybePromise } from './maybe-promise';

/** A JSON response to a GET, before the request's conditions and encodings are known. */
export interface Representation {
  /** Without Content-Type and Content-Length. */
  headers: Record<string, string>;
  tag: string;
  json: string | Buffer;
  /** The JSON, compressed, if that is already known. */
  compressed?: Buffer;
}

export const represent = (json: string, headers: Record<string, string> = {}): Representation => ({
  headers,
  tag: entityTag(json),
  json,
});

/** Shorter responses are not worth it. */
const COMPRESSED_FROM_BYTES = 1024;
/** Higher levels take more time and save little. */
const LEVEL = 4;

const isLong = (json: string | Buffer): boolean => Buffer.byteLength(json) >= COMPRESSED_FROM_BYTES;

/** Up to here, compressing takes less time than handing it to another thread. */
const COMPRESSED_AT_ONCE_BYTES = 16_384;

const gzipAsync = promisify(gzip);

async function compress(json: string | Buffer): Promise<Buffer> {
  const atOnce = Buffer.byteLength(json) <= COMPRESSED_AT_ONCE_BYTES;
  return atOnce ? gzipSync(json, { level: LEVEL }) : await gzipAsync(json, { level: LEVEL });
}

const NEWLINE = 0x0a;

/** A representation as bytes for the cache: a line with headers and tag, the JSON, and if it is long, the compressed JSON. */
export async function pack({ headers, tag, json }: Representation): Promise<Buffer> {
  const bytes = Buffer.from(json);
  const line = `${JSON.stringify({ headers, tag, length: bytes.length })}\n`;
  return Buffer.concat([Buffer.from(line), bytes, ...(isLong(bytes) ? [await compress(bytes)] : [])]);
}

export function unpack(packed: Buffer): Representation {
  const start = packed.indexOf(NEWLINE) + 1;
  const { headers, tag, length } = JSON.parse(packed.toString('utf8', 0, start));
  const [json, compressed] = [packed.subarray(start, start + length), packed.subarray(start + length)];
  return { headers, tag, json, ...(compressed.length > 0 ? { compressed } : {}) };
}

/**
 * Sends a 200, or a 304 if If-None-Match names the representation. Long JSON is compressed here and not by the gateway, which
 * would make its tag a weak one: If-Match ignores those. See docs/decisions/0043-validators.md.
 */
export function sendRepresentation(req: Request, res: Response, representation: Representation): MaybePromise<void> {
  const { headers, tag, json, compressed } = representation;
  const mayCompress = isLong(json);
  // As a line of its own: `res.vary` parses the one that CORS has set.
  if (mayCompress) res.appendHeader('Vary', 'Accept-Encoding');
  const isCompressed = mayCompress && acceptsGzip(req);
  const tags = isCompressed ? [gzipTag(tag), tag] : [tag];
  const condition = req.headers['if-none-match'];
  const known = condition === undefined ? undefined : tagNamedBy(condition, tags, 'weak');
  if (known !== undefined) {
    if (headers['Cache-Control']) res.setHeader('Cache-Control', headers['Cache-Control']);
    res.status(304).setHeader('ETag', known).end();
    return undefined;
  }
  setHeaders(res, headers);
  res.setHeader('ETag', isCompressed ? gzipTag(tag) : tag);
  if (!isCompressed) return sendJson(res, 200, json);
  res.setHeader('Content-Encoding', 'gzip');
  if (compressed) return sendJson(res, 200, compressed);
  return compress(json).then((bytes) => sendJson(res, 200, bytes));
}

/** Most API clients send no Accept-Encoding, and negotiation is slow. */
const acceptsGzip = (req: Request): boolean =>
  req.headers['accept-encoding'] !== undefined && req.acceptsEncodings('gzip') === 'gzip';

/** Node sends a string, but not a buffer, in one write with the headers. A latin1 string has the bytes of the buffer. */
export function sendJson(res: Response, status: number, json: string | Buffer): void {
  res.status(status).setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  if (typeof json === 'string') res.end(json);
  else res.end(json.toString('latin1'), 'latin1');
}

export const setHeaders = (res: Response, headers: Record<string, string> = {}): void =>
  setHeaderList(res, Object.entries(headers));
