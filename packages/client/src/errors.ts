import type { ErrorCode, Problem } from './operations.ts';

/** A response with an error status. `code` says which error; it is the same in all languages and releases. */
export class ApiError<Code extends string = ErrorCode | 'unexpected_response'> extends Error {
  override readonly name = 'ApiError';
  readonly code: Code;
  readonly status: number;
  /** The body (RFC 9457): invalid fields in `errors`, products that are short in `products`. */
  readonly problem: Partial<Problem>;
  /** Names the request in the server's logs. */
  readonly requestId: string | undefined;
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(response: Response, problem: Partial<Problem>) {
    super(problem.detail ?? `${response.status} ${response.statusText}`);
    // A proxy in between can answer without a problem.
    this.code = (problem.code ?? 'unexpected_response') as Code;
    this.status = response.status;
    this.problem = problem;
    this.requestId = problem.request_id ?? response.headers.get('x-request-id') ?? undefined;
    this.retryAfter = secondsToWait(response);
  }

  /** The messages for the fields of the request's body, by their path, such as `items.0.quantity`. */
  get fields(): Record<string, string> {
    return Object.fromEntries((this.problem.errors ?? []).map(({ path, message }) => [path, message]));
  }
}

/** There was no response, or only a part of one. `cause` is what `fetch` has thrown. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Whether an error is an `ApiError`, with one of these codes if there are some. */
export function isApiError<Code extends ErrorCode>(error: unknown, ...codes: Code[]): error is ApiError<Code> {
  // By name: an application may have loaded this package twice, as a module and by `require`.
  const isOne = error instanceof Error && error.name === 'ApiError';
  return isOne && (codes.length === 0 || codes.includes((error as ApiError<Code>).code));
}

function secondsToWait({ headers }: Response): number | undefined {
  const value = headers.get('retry-after');
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
