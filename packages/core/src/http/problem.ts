import { STATUS_CODES } from 'node:http';
import { isHttpError } from 'http-errors';
import { MulterError } from 'multer';
import { z } from 'zod';
import {
  AppError,
  type ErrorDefinition,
  type ErrorKind,
  type FieldError,
  type FieldErrorCode,
  fieldErrorCodes,
  internalError,
  invalidJson,
  malformedRequest,
  payloadTooLarge,
  unsupportedMediaType,
} from '../errors';

/** The only mapping from error kinds to HTTP statuses. */
export const statusOf: Record<ErrorKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  uri_too_long: 414,
  unsupported_media_type: 415,
  range_not_satisfiable: 416,
  expectation_failed: 417,
  unprocessable: 422,
  rate_limited: 429,
  misdirected: 421,
  headers_too_large: 431,
  internal: 500,
  unavailable: 503,
};

/** The body of an error response: RFC 9457 with a stable `code`. An error definition can add members. */
const problemSchema = z.object({
  type: z.string().meta({ description: 'The page of the code', examples: ['/docs/errors/not_found'] }),
  title: z.string().meta({ description: 'The name of the HTTP status', examples: ['Not Found'] }),
  status: z.int().meta({ description: 'The HTTP status', examples: [404] }),
  detail: z.string().meta({ description: 'What is wrong, for people', examples: ['There is no such resource.'] }),
  code: z.string().meta({ description: 'What is wrong, for programs. It never changes', examples: ['not_found'] }),
  request_id: z.string().meta({
    description: 'The id of the request in the logs',
    examples: ['0b8f7c1e-6d3a-4c55-9a51-3f1d2c9e7b42'],
  }),
  errors: z
    .array(
      z.object({
        in: z
          .enum(['body', 'query', 'path', 'header'])
          .meta({ description: 'The part of the request', examples: ['body'] }),
        path: z.string().meta({
          description: 'The field, dotted; empty for the whole part',
          examples: ['items.0.quantity'],
        }),
        code: z.enum(fieldErrorCodes).meta({ description: 'What is wrong, for programs', examples: ['too_small'] }),
        message: z.string().meta({ description: 'What is wrong, for people', examples: ['must be at least 1'] }),
      }),
    )
    .optional()
    .meta({
      description: 'The invalid fields; present in every 400',
      examples: [[{ in: 'body', path: 'items.0.quantity', code: 'too_small', message: 'must be at least 1' }]],
    }),
});

/** The schema of the problems that these errors make. */
export const problemSchemaFor = (errors: ErrorDefinition[]) =>
  problemSchema
    .extend(Object.assign({}, ...errors.map(({ members }) => members)))
    .meta({ id: 'Problem', description: 'An error (RFC 9457)' });

/** @param error undefined for a bug, which is not described to the client */
export function problemBody(error: AppError | undefined, requestId: string): z.output<typeof problemSchema> {
  const { kind, code, message, members, errors } = error ?? internalError();
  const status = statusOf[kind];
  return {
    type: `/docs/errors/${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    request_id: requestId,
    ...(errors ? { errors } : {}),
    ...members,
  };
}

/** For documentation. @param error undefined for a bug */
export const exampleProblem = (error?: ErrorDefinition) =>
  problemBody(error?.example(), '0b8f7c1e-6d3a-4c55-9a51-3f1d2c9e7b42');

const multerErrors: Partial<Record<MulterError['code'], () => AppError>> = {
  LIMIT_FILE_SIZE: payloadTooLarge,
  LIMIT_FIELD_VALUE: payloadTooLarge,
};

const multerFieldErrors: Partial<Record<MulterError['code'], [code: FieldErrorCode, message: string]>> = {
  LIMIT_UNEXPECTED_FILE: ['unknown_field', 'is not a known file field'],
  LIMIT_FILE_COUNT: ['too_big', 'must have at most one file'],
  LIMIT_FIELD_COUNT: ['too_big', 'must have fewer fields'],
  LIMIT_PART_COUNT: ['too_big', 'must have fewer parts'],
  LIMIT_FIELD_KEY: ['too_big', 'must have a shorter field name'],
};

function multipartFieldError({ code, field = '' }: MulterError): FieldError {
  const [fieldCode, message] = multerFieldErrors[code] ?? ['invalid_format', 'must be a well-formed multipart field'];
  return { in: 'body', path: field, code: fieldCode, message };
}

/** Maps errors of Express, body-parser and multer to our own. Returns undefined for a bug. */
export function knownError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (error instanceof MulterError) {
    const make = multerErrors[error.code];
    if (make) return make();
    return malformedRequest({
      message: 'The multipart body is not valid.',
      errors: [multipartFieldError(error)],
      cause: error,
    });
  }
  if (error instanceof URIError) {
    const message = 'The path is not validly encoded.';
    return malformedRequest({
      message,
      errors: [{ in: 'path', path: '', code: 'invalid_format', message }],
      cause: error,
    });
  }
  if (isHttpError(error) && error.status < 500) {
    if (error.status === 413) return payloadTooLarge({ cause: error });
    if (error.status === 415) return unsupportedMediaType({ cause: error });
    return (error.type === 'entity.parse.failed' ? invalidJson : malformedRequest)({ cause: error });
  }
  // busboy has no error class. A broken multipart body can be recognized only by the message.
  if (
    error instanceof Error &&
    /multipart|boundary|unexpected end of form|malformed (part|content type)/i.test(error.message)
  ) {
    return malformedRequest({ message: 'The multipart body is malformed.', cause: error });
  }
  return undefined;
}
