/** What went wrong, in words that know no HTTP; `http/problem.ts` maps each kind to a status. */
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
  | 'unsupported_media_type'
  | 'range_not_satisfiable'
  | 'expectation_failed'
  | 'unprocessable'
  | 'rate_limited'
  | 'headers_too_large'
  | 'unavailable';

/** One wrong field of a request. `path` is dotted (`items.0.quantity`), empty for the whole. */
export interface FieldError {
  in: 'body' | 'query' | 'path' | 'header';
  path: string;
  message: string;
}

type Place = Pick<FieldError, 'in' | 'path'>;

export interface AppErrorOptions {
  /** Replaces the definition's public message. */
  message?: string;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  headers?: Record<string, string>;
  /** For the log only, never sent. */
  cause?: unknown;
}

/** An expected failure. Its message is public: it goes to the client as the problem's `detail`. */
export class AppError extends Error {
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly headers: Record<string, string>;

  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    options: AppErrorOptions = {},
  ) {
    super(options.message ?? message, { cause: options.cause });
    this.name = 'AppError';
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.headers = options.headers ?? {};
  }
}

/** A metrics label for a failure: the code that the client gets. */
export const errorCode = (error: unknown): string => (error instanceof AppError ? error.code : 'internal_error');

/** Makes the error; carries its kind, code and words for the API document. */
export interface ErrorDefinition {
  (options?: AppErrorOptions): AppError;
  readonly kind: ErrorKind;
  readonly code: string;
  readonly description: string;
}

/**
 * Declares an error once: use cases throw it, endpoints list it, the OpenAPI document shows it.
 * @param place what is wrong where the error itself does not say it, because every `invalid` one names what it is about
 *
 * @example
 * export const noStore = defineError('unprocessable', 'no_store', 'You own no store yet: create one first.');
 * throw noStore();
 */
export function defineError(kind: 'invalid', code: string, description: string, place: Place): ErrorDefinition;
export function defineError(kind: Exclude<ErrorKind, 'invalid'>, code: string, description: string): ErrorDefinition;
export function defineError(kind: ErrorKind, code: string, description: string, place?: Place): ErrorDefinition {
  const make = (options: AppErrorOptions = {}) => {
    const errors = options.errors ?? (place && [{ ...place, message: options.message ?? description }]);
    return new AppError(kind, code, description, { ...options, ...(errors ? { errors } : {}) });
  };
  return Object.assign(make, { kind, code, description });
}
