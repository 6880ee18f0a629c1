import type { z } from 'zod';

/** The kind of failure, independent of HTTP. `http/problem.ts` maps each kind to a status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'uri_too_long'
  | 'unsupported_media_type'
  | 'range_not_satisfiable'
  | 'expectation_failed'
  | 'unprocessable'
  | 'rate_limited'
  | 'headers_too_large'
  | 'internal'
  | 'misdirected'
  | 'unavailable';

/**
 * Machine-readable reasons why a field is invalid. `too_small` and `too_big` also apply to the length of a text or a list.
 * `required`: the field is absent.
 */
export const fieldErrorCodes = [
  'required',
  'invalid_type',
  'invalid_value',
  'invalid_format',
  'too_small',
  'too_big',
  'unknown_field',
] as const;

export type FieldErrorCode = (typeof fieldErrorCodes)[number];

/** One invalid field of a request. `path` is dotted (`items.0.quantity`), or empty for the whole part. */
export interface FieldError {
  in: 'body' | 'query' | 'path' | 'header';
  path: string;
  code: FieldErrorCode;
  message: string;
}

interface AppErrorOptions {
  /** Replaces the definition's public message. */
  message?: string;
  errors?: FieldError[];
  /** Extension members of the problem (RFC 9457, 3.2), as the definition declares them. */
  members?: object;
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** For the log only, never sent. */
  cause?: unknown;
}

/** An expected failure. Its message is public: the client gets it as the problem's `detail`. */
export class AppError extends Error {
  readonly errors: FieldError[] | undefined;
  readonly members: object;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    options: AppErrorOptions = {},
  ) {
    // Capturing the stack trace takes a tenth of a refused request, and no log line shows it: the failure is expected.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(options.message ?? message, { cause: options.cause });
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'AppError';
    this.errors = options.errors;
    this.members = options.members ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}

/** The metrics label of a failure: the error code that the client gets. */
export const errorCode = (error: unknown): string => (error instanceof AppError ? error.code : 'internal_error');

/** Schemas by member name. Optional, because all errors share the schema of the problem. */
type ProblemMembers = Record<string, z.ZodOptional>;

/** What the page of an error code says (`/docs/errors/{code}`), as sentences in Markdown. */
interface ErrorPage {
  /** When it is the response. */
  when: string;
  /** What a client should do. */
  action: string;
}

/** Creates the error when called. Also has what the OpenAPI document and the page of its code say about it. */
export interface ErrorDefinition<M = never> extends Readonly<ErrorPage> {
  (options?: AppErrorOptions & { members?: M }): AppError;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly description: string;
  readonly members: ProblemMembers;
  readonly example: () => AppError;
}

interface ErrorDetails extends ErrorPage {
  /** The options of the example. */
  example?: AppErrorOptions;
}

/**
 * Declares an error once. Use cases throw it, endpoints list it, the OpenAPI document and the page of its code describe it.
 * @param description the public message, unless an error has its own
 * @param details.field the default field: every `invalid` error names at least one field
 * @param details.members members that the problem may have (RFC 9457, 3.2)
 *
 * @example
 * export const noStore = defineError('unprocessable', 'no_store', 'You do not own a store yet. Create one first.', {
 *   when: 'You add a product and own no store.',
 *   action: 'Create a store with `POST /api/v1/stores`, then add the product.',
 * });
 * throw noStore();
 */
export function defineError(
  kind: 'invalid',
  code: string,
  description: string,
  details: ErrorDetails & { field: Omit<FieldError, 'message'> },
): ErrorDefinition;
export function defineError<M extends ProblemMembers>(
  kind: Exclude<ErrorKind, 'invalid'>,
  code: string,
  description: string,
  details: ErrorDetails & { members?: M },
): ErrorDefinition<z.input<z.ZodObject<M>>>;
export function defineError(
  kind: ErrorKind,
  code: string,
  description: string,
  details: ErrorDetails & { field?: Omit<FieldError, 'message'>; members?: ProblemMembers },
): ErrorDefinition {
  const { field, members = {}, when, action, example } = details;
  const make = (options: AppErrorOptions = {}) => {
    const errors = options.errors ?? (field && [{ ...field, message: options.message ?? description }]);
    return new AppError(kind, code, description, { ...options, ...(errors ? { errors } : {}) });
  };
  return Object.assign(make, { kind, code, description, members, when, action, example: () => make(example) });
}
