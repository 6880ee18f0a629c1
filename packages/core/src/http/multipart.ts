import { isUtf8 } from 'node:buffer';
import type { Request, Response } from 'express';
import multer, { memoryStorage } from 'multer';
import type { FieldError } from '../errors/app-error';
import { payloadTooLarge } from '../errors/common-errors';
import type { Upload, UploadedFile } from './endpoint';
import { runMiddleware } from './run-middleware';

const FIELDS = 20;
const FIELD_BYTES = 100 * 1024;
/** Beside the file: its fields, and headers of up to 16 KiB for each part. */
const ROOM_BYTES = (FIELDS + 1) * (FIELD_BYTES + 16 * 1024);

interface MultipartBody {
  fields: Record<string, unknown>;
  file: UploadedFile | undefined;
  /** Texts that cannot be read. */
  errors: FieldError[];
}

/**
 * Reads multipart bodies. Files stay in memory until they are accepted: a refused or cut-off upload leaves nothing behind.
 * Multer is asked first; what it keeps to itself is looked up in the bytes: it says text/plain of a file without a declared
 * type, and writes U+FFFD for what is no UTF-8.
 */
export function multipartReader({ field, maxBytes }: Upload): (req: Request, res: Response) => Promise<MultipartBody> {
  const parse = multer({
    storage: memoryStorage(),
    defParamCharset: 'utf8',
    limits: {
      fileSize: maxBytes,
      files: 1,
      fields: FIELDS,
      parts: FIELDS + 1,
      fieldNameSize: 100,
      fieldSize: FIELD_BYTES,
      headerPairs: 20,
      fieldNestingDepth: 1,
    },
  }).single(field);
  return async (req, res) => {
    const bytes = keepBytes(req, maxBytes + ROOM_BYTES);
    await runMiddleware(parse, req, res);
    const parts = rawParts(bytes(), boundaryOf(req));
    const fields: Record<string, unknown> = { ...req.body };
    // Multer has no value for a text in a charset that it does not know.
    const unread = Object.keys(fields).filter((name) => fields[name] === undefined);
    const errors = [...parts.filter(isBrokenText).map(nameOf), ...unread].map(mustBeUtf8);
    return { fields, file: uploadedFile(req.file, parts), errors };
  };
}

const mustBeUtf8 = (path: string): FieldError => ({
  in: 'body',
  path,
  code: 'invalid_format',
  message: 'must be text in UTF-8',
});

/** @returns hands out, once, what has come; throws AppError `payload_too_large` when that is more than `limit` */
function keepBytes(req: Request, limit: number): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  req.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  });
  return () => {
    if (size > limit) throw payloadTooLarge();
    return Buffer.concat(chunks.splice(0));
  };
}

function uploadedFile(file: Express.Multer.File | undefined, parts: RawPart[]): UploadedFile | undefined {
  if (!file) return undefined;
  // There is one at most.
  const untyped = parts.some((part) => isFile(part) && !/^content-type:/im.test(part.head));
  return { originalName: file.originalname, declaredType: untyped ? '' : file.mimetype, bytes: file.buffer };
}

interface RawPart {
  /** Its header lines, a character for each byte. */
  head: string;
  content: Buffer;
}

const boundaryOf = (req: Request): string => {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(req.headers['content-type'] ?? '') ?? [];
  return quoted ?? plain ?? '';
};

/** The parts of a body that multer has taken, so there are not many. */
function rawParts(body: Buffer, boundary: string): RawPart[] {
  const delimiter = `\r\n--${boundary}`;
  const parts: RawPart[] = [];
  let start = body.indexOf(delimiter.slice(2)) + delimiter.length - 2;
  for (let end = body.indexOf(delimiter, start); end >= 0; end = body.indexOf(delimiter, start)) {
    const part = body.subarray(start, end);
    const headEnd = part.indexOf('\r\n\r\n');
    if (headEnd >= 0) parts.push({ head: part.toString('latin1', 0, headEnd), content: part.subarray(headEnd + 4) });
    start = end + delimiter.length;
    if (body.toString('latin1', start, start + 2) === '--') break;
  }
  return parts;
}

const isFile = ({ head }: RawPart): boolean => /^content-disposition:.*;\s*filename\*?=/im.test(head);

/** Text that should be UTF-8 and is not; a part may declare another charset. */
function isBrokenText(part: RawPart): boolean {
  const charset = /^content-type:.*;\s*charset="?([^\s;"]+)/im.exec(part.head)?.[1] ?? 'utf-8';
  return !isFile(part) && /^utf-?8$/i.test(charset) && !isUtf8(part.content);
}

function nameOf({ head }: RawPart): string {
  const name = /[;\s]name=(?:"([^"]*)"|([^\s;]+))/i.exec(head);
  return Buffer.from(name?.[1] ?? name?.[2] ?? '', 'latin1').toString();
}
