import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler, type Response } from 'express';
import multer, { memoryStorage } from 'multer';
import { invalidJson, unsupportedMediaType } from '../errors/common-errors';
import type { Endpoint, Upload, UploadedFile } from './endpoint';

const JSON_LIMIT = '100kb';

export interface RequestBody {
  /** undefined: the request has none. */
  fields: unknown;
  /** Form fields are strings and are read with the endpoint's `form` schema. */
  isForm: boolean;
  file: UploadedFile | undefined;
}

const jsonParser = express.json({
  limit: JSON_LIMIT,
  type: 'application/json',
  strict: false,
  verify: (_req, _res, bytes) => {
    if (!isUtf8(bytes)) throw invalidJson({ message: 'The body is not UTF-8.' });
  },
});

/** Reads the body that an endpoint declares: JSON, or multipart where it takes a file. */
export function bodyReader(endpoint: Endpoint): (req: Request, res: Response) => Promise<RequestBody> {
  const { upload } = endpoint;
  const multipart = upload && multipartParser(upload);
  return async (req, res) => {
    if (!endpoint.body && !upload) return { fields: undefined, isForm: false, file: undefined };
    if (!hasBody(req)) return { fields: undefined, isForm: false, file: undefined };
    if (multipart && req.is('multipart/form-data')) {
      await run(multipart, req, res);
      return { fields: { ...req.body }, isForm: true, file: uploadedFile(req.file) };
    }
    if (!endpoint.body || upload?.required || !req.is('application/json')) throw unsupportedMediaType();
    await run(jsonParser, req, res);
    return { fields: req.body, isForm: false, file: undefined };
  };
}

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0;

/** Files stay in memory until they are accepted: a refused or cut-off upload leaves nothing behind. */
function multipartParser({ field, maxBytes }: Upload): RequestHandler {
  return multer({
    storage: memoryStorage(),
    defParamCharset: 'utf8',
    limits: {
      fileSize: maxBytes,
      files: 1,
      fields: 20,
      parts: 21,
      fieldNameSize: 100,
      fieldSize: 100 * 1024,
      headerPairs: 20,
      fieldNestingDepth: 1,
    },
  }).single(field);
}

function uploadedFile(file: Express.Multer.File | undefined): UploadedFile | undefined {
  return file && { originalName: file.originalname, declaredType: file.mimetype, bytes: file.buffer };
}

/** An Express middleware as a promise. */
function run(middleware: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    middleware(req, res, (error?: unknown) => (error ? reject(error) : resolve()));
  });
}
