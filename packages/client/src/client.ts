import { isApiError } from './errors.ts';
import { acceptsKey, needsNoToken, type Operations, type TokenSet } from './operations.ts';
import { type Answer, type RetryOptions, send } from './retry.ts';
import type { CallOptions, ItemOf, ListPath, Method, OptionsOf, PathOf, ResponseOf } from './types.ts';

export interface ClientOptions extends Partial<RetryOptions> {
  /** Default: the page's own origin. */
  baseUrl?: string;
  /**
   * Where the tokens are. `memory`: in this object, for servers and scripts. `cookies`: in cookies that no script can read, for
   * browsers; the page and the API must be on the same site.
   */
  session?: 'memory' | 'cookies';
  /** The tokens of a session that began earlier. */
  tokens?: TokenSet | undefined;
  /** Called with each new set of tokens (undefined with cookies), and with `ended` when the session is over. */
  onSession?: (tokens: TokenSet | undefined, state: 'active' | 'ended') => void;
}

type AnyOptions = CallOptions & {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
};

const LOGIN = '/api/v1/auth/login';
const REGISTER = '/api/v1/auth/register';
const REFRESH = '/api/v1/auth/refresh';
const LOGOUT = '/api/v1/auth/logout';

export class ShopClient {
  readonly #baseUrl: string;
  readonly #retry: RetryOptions;
  readonly #usesCookies: boolean;
  readonly #onSession: NonNullable<ClientOptions['onSession']>;
  #tokens: TokenSet | undefined;
  /** Grows with each new set of tokens, and with the end of the session. */
  #generation = 0;
  #refreshing: Promise<boolean> | undefined;

  constructor(options: ClientOptions = {}) {
    const { baseUrl = '', session = 'memory', tokens, onSession = () => undefined, ...retry } = options;
    this.#baseUrl = baseUrl.replace(/\/$/, '');
    this.#usesCookies = session === 'cookies';
    this.#tokens = tokens;
    this.#onSession = onSession;
    // Called as a function of the global object: browsers refuse it as a method of another one.
    const send: typeof fetch = (...call) => globalThis.fetch(...call);
    this.#retry = { retries: 3, timeoutMs: 60_000, maxWaitMs: 20_000, fetch: send, ...retry };
  }

  get<Path extends PathOf<'GET'>>(path: Path, ...options: OptionsOf<Operations[`GET ${Path}`]>) {
    return this.#data('GET', path, options[0]);
  }

  post<Path extends PathOf<'POST'>>(path: Path, ...options: OptionsOf<Operations[`POST ${Path}`]>) {
    return this.#data('POST', path, options[0]);
  }

  put<Path extends PathOf<'PUT'>>(path: Path, ...options: OptionsOf<Operations[`PUT ${Path}`]>) {
    return this.#data('PUT', path, options[0]);
  }

  patch<Path extends PathOf<'PATCH'>>(path: Path, ...options: OptionsOf<Operations[`PATCH ${Path}`]>) {
    return this.#data('PATCH', path, options[0]);
  }

  delete<Path extends PathOf<'DELETE'>>(path: Path, ...options: OptionsOf<Operations[`DELETE ${Path}`]>) {
    return this.#data('DELETE', path, options[0]);
  }

  /** A call whose response headers matter, such as ETag or Location. */
  async request<M extends Method, Path extends PathOf<M>>(
    method: M,
    path: Path,
    ...options: OptionsOf<Operations[`${M} ${Path}` & keyof Operations]>
  ): Promise<{ data: ResponseOf<M, Path>; status: number; headers: Headers }> {
    const { response, body } = await this.#call(method, path, options[0] as AnyOptions | undefined);
    return { data: body as ResponseOf<M, Path>, status: response.status, headers: response.headers };
  }

  /**
   * The items of a list, one after the other, whatever is added meanwhile. Fetches the next page when it is needed.
   *
   *     for await (const product of shop.list('/api/v1/catalog/products', { query: { search: 'mug' } })) …
   */
  async *list<Path extends ListPath>(
    path: Path,
    ...[options]: OptionsOf<Operations[`GET ${Path}`]>
  ): AsyncGenerator<ItemOf<Path>, void, undefined> {
    const { query, ...rest } = (options ?? {}) as AnyOptions;
    const { page, ...others } = { limit: 100, ...query } as Record<string, unknown>;
    let cursor: string | null | undefined;
    do {
      const { body } = await this.#call('GET', path, {
        ...rest,
        query: { ...others, ...(cursor ? { cursor } : { page }) },
      });
      const { data, pagination } = body as { data: ItemOf<Path>[]; pagination: { next_cursor?: string | null } };
      yield* data;
      cursor = pagination.next_cursor;
    } while (cursor);
  }

  /** Begins a session. */
  async logIn(body: Operations[`POST ${typeof LOGIN}`]['body'], options?: CallOptions): Promise<void> {
    await this.#begin(LOGIN, body, options);
  }

  /** Creates an account with a store, and begins a session. */
  async register(body: Operations[`POST ${typeof REGISTER}`]['body'], options?: CallOptions): Promise<void> {
    await this.#begin(REGISTER, body, options);
  }

  /** Ends the session. Tokens in memory are forgotten even if the shop does not respond; only the shop can remove cookies. */
  async logOut(options?: CallOptions): Promise<void> {
    const tokens = this.#tokens;
    if (!tokens && !this.#usesCookies) return;
    if (tokens) this.#keep(undefined, 'ended');
    const body = tokens ? { refresh_token: tokens.refresh_token } : {};
    await this.#call('POST', LOGOUT, { ...options, body }, true);
    if (!tokens) this.#keep(undefined, 'ended');
  }

  async #begin(path: string, body: unknown, options?: CallOptions): Promise<void> {
    const answer = await this.#call('POST', path, { ...options, body, query: this.#cookieQuery() });
    this.#keep(answer.body as TokenSet, 'active');
  }

  #cookieQuery = () => (this.#usesCookies ? { cookies: true } : {});

  #keep(tokens: TokenSet | undefined, state: 'active' | 'ended'): void {
    this.#tokens = this.#usesCookies ? undefined : tokens;
    this.#generation += 1;
    this.#onSession(this.#tokens, state);
  }

  async #data<M extends Method, Path extends PathOf<M>>(
    method: M,
    path: Path,
    options: unknown,
  ): Promise<ResponseOf<M, Path>> {
    const { body } = await this.#call(method, path, options as AnyOptions | undefined);
    return body as ResponseOf<M, Path>;
  }

  /** One call. If its access token has expired, refreshes the session once and sends the call again. */
  async #call(method: Method, path: string, options: AnyOptions = {}, isRepeatable = false): Promise<Answer> {
    const name = `${method} ${path}`;
    const { signal } = options;
    const key = acceptsKey.has(name) ? (options.idempotencyKey ?? newKey()) : undefined;
    const url = this.#baseUrl + filledIn(path, options.path) + queryText(options.query);
    const { body, type } = encoded(options.body);
    const sendIt = () => {
      const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
      if (type) headers['content-type'] = type;
      if (key) headers['idempotency-key'] = key;
      if (this.#tokens && !needsNoToken.has(name)) headers.authorization = `Bearer ${this.#tokens.token}`;
      const credentials = this.#usesCookies ? 'include' : 'omit';
      const repeatable = isRepeatable || key !== undefined || !(method === 'POST' || method === 'PATCH');
      const init: RequestInit = { method, headers, credentials, ...(body === undefined ? {} : { body }) };
      return send({ url, init, isRepeatable: repeatable, signal }, this.#retry);
    };

    const generation = this.#generation;
    try {
      return await sendIt();
    } catch (error) {
      const isExpired = isApiError(error) && error.status === 401 && !needsNoToken.has(name);
      if (!isExpired || !(this.#tokens || this.#usesCookies)) throw error;
      if (!(await abortable(this.#refreshSince(generation), signal))) throw error;
      return await sendIt();
    }
  }

  /** Concurrent calls share one refresh. @returns whether the session goes on with newer tokens than those of `generation` */
  #refreshSince(generation: number): Promise<boolean> {
    if (this.#refreshing) return this.#refreshing;
    if (generation !== this.#generation) return Promise.resolve(this.#tokens !== undefined || this.#usesCookies);
    this.#refreshing = this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<boolean> {
    const generation = this.#generation;
    const body = this.#tokens ? { refresh_token: this.#tokens.refresh_token } : {};
    try {
      // The service exchanges a token again for a few seconds, so a refresh whose response was lost can be repeated.
      const answer = await this.#call('POST', REFRESH, { body, query: this.#cookieQuery() }, true);
      // A login or a logout came first.
      if (generation !== this.#generation) return this.#tokens !== undefined || this.#usesCookies;
      this.#keep(answer.body as TokenSet, 'active');
      return true;
    } catch (error) {
      // Without a connection the session may still be good.
      if (!isApiError(error) || error.status === 429 || error.status >= 500) throw error;
      if (generation === this.#generation) this.#keep(undefined, 'ended');
      return false;
    }
  }
}

/** @example const shop = createClient({ baseUrl: 'https://shop.example' }) */
export const createClient = (options?: ClientOptions): ShopClient => new ShopClient(options);

const filledIn = (path: string, values: AnyOptions['path'] = {}) =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));

function queryText(query: AnyOptions['query'] = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** A body with a file is sent as a form, any other one as JSON. */
function encoded(body: unknown): { body?: BodyInit; type?: string } {
  if (body === undefined) return {};
  if (body instanceof FormData) return { body };
  const fields = Object.entries(body as object);
  if (!fields.some(([, value]) => value instanceof Blob))
    return { body: JSON.stringify(body), type: 'application/json' };
  const form = new FormData();
  for (const [name, value] of fields) {
    if (value instanceof Blob) form.append(name, value);
    else if (value !== undefined && value !== null) form.append(name, String(value));
  }
  return { body: form };
}

/** Not crypto.randomUUID, which browsers have only on https and localhost. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @throws the reason of `signal`, without ending what others wait for too */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
