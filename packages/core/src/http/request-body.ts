import { isUtf8 } from 'node:buffer';
import { MIMEType } from 'node:util';
import express, { type Request, type Response } from 'express';
import type { FieldError } from '../errors';
import { invalidJson, unsupportedMediaType } from '../errors';
import type { UploadedFile } from '../storage';
import type { Endpoint } from './endpoint';
import type { MaybePromise } from './maybe-promise';
import { multipartReader } from './multipart';
import { isMultipart } from './multipart-boundary';
import { runMiddleware } from './run-middleware';

const JSON_LIMIT = '100kb';

export interface RequestBody {
  /** undefined if the request has no body. */
  fields: unknown;
  /** Form fields are strings and are validated with the endpoint's `form` schema. */
  isForm: boolean;
  file: UploadedFile | undefined;
  /** Fields that cannot be read. */
  errors: FieldError[];
}

const jsonBody = (fields?: unknown): RequestBody => ({ fields, isForm: false, file: undefined, errors: [] });

const jsonParser = express.json({
  limit: JSON_LIMIT,
  type: 'application/json',
  strict: false,
  verify: (_req, _res, bytes) => {
    if (!isUtf8(bytes)) throw invalidJson({ message: 'The body is not UTF-8.' });
  },
});

/** Whether this endpoint reads a body. A write reads it even if none is declared, to reject unknown fields. */
export const readsBody = ({ method, body, upload }: Pick<Endpoint, 'method' | 'body' | 'upload'>): boolean =>
  Boolean(body || upload) || method !== 'get';

/** Reads the body of an endpoint: JSON, or multipart if the endpoint accepts a file. */
export function bodyReader(endpoint: Endpoint): (req: Request, res: Response) => MaybePromise<RequestBody> {
  const { body, upload } = endpoint;
  const expectsBody = readsBody(endpoint);
  const readMultipart = upload && multipartReader(upload);
  async function parseBody(req: Request, res: Response): Promise<RequestBody> {
    if (readMultipart && isMultipart(req.headers['content-type']))
      return { isForm: true, ...(await readMultipart(req, res)) };
    if (upload?.required || !req.is('application/json')) {
      if (body || upload) throw unsupportedMediaType();
      return jsonBody();
    }
    assertUtf8(req.headers['content-type'] ?? '');
    // The parser accepts fewer spellings of UTF-8, and it would decode other charsets.
    req.headers['content-type'] = 'application/json';
    await runMiddleware(jsonParser, req, res);
    return jsonBody(req.body);
  }
  return function readBody(req, res) {
    return expectsBody && hasBody(req) ? parseBody(req, res) : jsonBody();
  };
}

/** @throws AppError `unsupported_media_type` naming the charset */
function assertUtf8(contentType: string): void {
  const charset = new MIMEType(contentType).params.get('charset')?.trim();
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw unsupportedMediaType({
    message: `JSON is accepted only in UTF-8, not in ${JSON.stringify(charset.slice(0, 40))}.`,
  });
}

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;
