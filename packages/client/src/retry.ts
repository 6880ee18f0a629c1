import { ApiError, ConnectionError } from './errors.ts';
import type { Problem } from './operations.ts';

export interface RetryOptions {
  /** How often a call is sent again at most. */
  retries: number;
  /** For one try, from its start to the last byte of the response. */
  timeoutMs: number;
  /** A call whose server asks for a longer wait fails at once. */
  maxWaitMs: number;
  fetch: typeof fetch;
}

export interface Request {
  url: string;
  init: RequestInit;
  /** Whether it can be sent twice without taking effect twice. */
  isRepeatable: boolean;
  signal?: AbortSignal | undefined;
}

export interface Answer {
  response: Response;
  /** JSON as its value, other types as a Blob, undefined without a body. */
  body: unknown;
}

/**
 * Sends a request until it has a response that is worth returning. Tries again after a 429, which has had no effect. Tries again
 * after 502 to 504 and after a lost connection only what is repeatable.
 *
 * @throws ApiError, ConnectionError, or the reason of `signal`
 */
export async function send(request: Request, options: RetryOptions): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    const outcome = await tryOnce(request, options);
    if ('body' in outcome) return outcome;
    const { error, isRefused } = outcome;
    const wait = waitFor(error, attempt);
    if (attempt >= options.retries || !(isRefused || request.isRepeatable) || wait > options.maxWaitMs) throw error;
    await pause(wait, request.signal);
  }
}

/** A failure that a later try may not have. `isRefused`: it had no effect. */
interface Failure {
  error: ApiError | ConnectionError;
  isRefused: boolean;
}

async function tryOnce({ url, init, signal }: Request, options: RetryOptions): Promise<Answer | Failure> {
  let answer: Answer;
  try {
    signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(options.timeoutMs);
    const response = await options.fetch(url, {
      ...init,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    answer = { response, body: await bodyOf(response) };
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    return { error: new ConnectionError('The shop did not respond.', { cause }), isRefused: false };
  }
  const { response, body } = answer;
  // 304: the caller has sent an If-None-Match of its own.
  if (response.ok || response.status === 304) return answer;
  const error = new ApiError(response, isProblem(response) ? (body as Problem) : {});
  const { status } = response;
  if (status !== 429 && !(status >= 502 && status <= 504)) throw error;
  return { error, isRefused: status === 429 };
}

async function bodyOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 204 || response.status === 304) return undefined;
  if (!type.includes('json')) return await response.blob();
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

const isProblem = ({ headers }: Response) => headers.get('content-type')?.startsWith('application/problem+json');

/** Milliseconds. Random, so that clients that were refused together do not come back together. */
function waitFor(error: ApiError | ConnectionError, attempt: number): number {
  const backoff = 250 * 2 ** attempt * (0.5 + Math.random());
  const asked = error instanceof ApiError ? error.retryAfter : undefined;
  return asked === undefined ? backoff : asked * 1000 + backoff / 2;
}

/** @throws the reason of `signal` */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
