import type { Request, Response } from 'express';
import multer, { type StorageEngine } from 'multer';
import type { FieldError, FieldErrorCode } from '../errors';
import { malformedRequest, payloadTooLarge } from '../errors';
import { type ContentCheck, type FileKind, inspectFile, type UploadedFile } from '../storage';
import type { Upload } from './endpoint';
import { multipartBoundary } from './multipart-boundary';
import { PartWatch } from './part-watch';
import { runMiddleware } from './run-middleware';

const FIELDS = 20;
const FIELD_BYTES = 100 * 1024;
/** The maximum size of a body without its file: fields, and headers of up to 16 KiB for each part. */
const MAX_OVERHEAD_BYTES = (FIELDS + 1) * (FIELD_BYTES + 16 * 1024);

interface MultipartBody {
  fields: Record<string, unknown>;
  /** The caller must store or discard it. */
  file: UploadedFile | undefined;
  errors: FieldError[];
}

/**
 * Reads multipart bodies. The file is checked and written to the storage while it arrives, so memory usage does not depend
 * on its size. After a failure nothing of it is left.
 */
export function multipartReader(upload: Upload): (req: Request, res: Response) => Promise<MultipartBody> {
  return async (req, res) => {
    const boundary = multipartBoundary(req.headers['content-type']);
    // Multer's parser does not accept every form of the header that RFC 9110 allows, but it accepts this one.
    req.headers['content-type'] = `multipart/form-data; boundary="${boundary.replace(/["\\]/g, '\\$&')}"`;
    const parts = new PartWatch(boundary);
    const receiver = new FileReceiver(upload, parts);
    let size = 0;
    const watch = (chunk: Buffer): void => {
      size += chunk.length;
      parts.push(chunk);
    };
    req.on('data', watch);
    try {
      await runMiddleware(parserFor(upload, receiver), req, res);
    } catch (error) {
      await receiver.discard();
      throw wasCutOff(req) ? malformedRequest({ message: 'The body ended early.', cause: error }) : error;
    } finally {
      req.off('data', watch);
    }
    if (size > upload.maxBytes + MAX_OVERHEAD_BYTES) {
      await receiver.discard();
      throw payloadTooLarge();
    }
    const fields: Record<string, unknown> = { ...req.body };
    // Multer sets a text in an unknown charset to undefined.
    const undecoded = Object.keys(fields).filter((name) => fields[name] === undefined);
    const unreadable = [...parts.brokenTexts(), ...undecoded].map((name) =>
      wrongField(name, 'invalid_format', 'must be text in UTF-8'),
    );
    const empty = receiver.foundEmpty ? [wrongField(upload.field, 'too_small', 'must not be empty')] : [];
    return { fields, file: receiver.file, errors: [...unreadable, ...empty] };
  };
}

const parserFor = ({ field, maxBytes }: Upload, storage: StorageEngine) =>
  multer({
    storage,
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

/** The client disconnected, or its request exceeded the server's timeout. */
const wasCutOff = (req: Request): boolean => req.destroyed && !req.complete;

const wrongField = (path: string, code: FieldErrorCode, message: string): FieldError => ({
  in: 'body',
  path,
  code,
  message,
});

/** A multer storage engine that receives the only file of a form. */
class FileReceiver implements StorageEngine {
  file: UploadedFile | undefined;
  foundEmpty = false;
  private receiving: Promise<void> | undefined;

  constructor(
    private readonly upload: Upload,
    private readonly parts: PartWatch,
  ) {}

  _handleFile(
    _req: Request,
    part: Express.Multer.File,
    done: (error?: unknown, info?: Partial<Express.Multer.File>) => void,
  ): void {
    this.receiving = this.receive(part).then((size) => done(null, { size }), done);
  }

  /** Does nothing: `multipartReader` discards the file, because multer does not always wait until it was received. */
  _removeFile(_req: Request, _part: Express.Multer.File, done: (error: Error | null) => void): void {
    done(null);
  }

  async discard(): Promise<void> {
    await this.receiving;
    await this.file?.discard();
  }

  /** @returns the size */
  private async receive({ stream, originalname: originalName, mimetype }: Express.Multer.File): Promise<number> {
    const { kinds, field, storage, maxBytes } = this.upload;
    const declaredType = this.parts.fileHasType ? mimetype : '';
    const inspector = inspectFile({ originalName, declaredType }, kinds, field);
    let size = 0;
    let kind: FileKind | undefined;
    const check: ContentCheck = {
      push(chunk) {
        size += chunk.length;
        // Multer passes on one byte too many, then waits for the rest.
        if (size > maxBytes) throw payloadTooLarge();
        inspector.push(chunk);
      },
      end() {
        kind = inspector.end();
      },
    };
    // If the stream is destroyed, multer reports its own error instead of the actual reason.
    const incoming = await storage.receive(stream.iterator({ destroyOnReturn: false }), check);
    if (kind) {
      this.file = { ...incoming, originalName, kind };
    } else {
      this.foundEmpty = true;
      await incoming.discard();
    }
    return incoming.size;
  }
}
