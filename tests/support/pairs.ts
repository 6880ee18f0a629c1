import { randomInt, randomUUID } from 'node:crypto';
import type { ServiceName } from '@shop/test-servers';
import { type HttpResponse, sendRequest } from './nginx-gateway';
import { startTestFleet, type TestFleet } from './test-fleet';

/** The first or second replica of a service on its own port, or Nginx. */
export type Where = 0 | 1 | 'nginx';
export const everywhere: readonly Where[] = [0, 1, 'nginx'];
export const other = (instance: 0 | 1): 0 | 1 => (instance === 0 ? 1 : 0);

/** A resource of the caller at each service: 401 without a token. */
export const ownList: Record<ServiceName, string> = {
  auth: '/api/v1/auth/me',
  product: '/api/v1/products',
  transaction: '/api/v1/transactions',
  address: '/api/v1/addresses',
  store: '/api/v1/stores',
  file: '/api/v1/files',
};

/** The rate limit's burst at each service and at Nginx. It refills one per second, which hardly matters in a test. */
export const BURST = 20;

interface Call {
  token?: string | undefined;
  json?: object;
  form?: FormData;
  key?: string;
  from?: string;
}

export interface Person {
  email: string;
  token: string;
  refreshToken: string;
}

let used = 0;
/** An unused loopback address, whose token bucket is full. */
export function newClient(): string {
  used += 1;
  return `127.7.${used >> 8}.${used & 255}`;
}

/** Two replicas of each service behind the real Nginx, and functions to call each of them. */
export async function startPairs() {
  const shop: TestFleet = await startTestFleet({
    replicas: 2,
    env: { RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: String(BURST) },
  });

  /** One request, from a new client address by default. */
  async function call(service: ServiceName, where: Where, line: string, options: Call = {}): Promise<HttpResponse> {
    const { token, json, form, key, from = newClient() } = options;
    const [method = '', path = ''] = line.split(' ');
    const port = where === 'nginx' ? shop.fleet.gateway.port : shop.fleet.instance(service, where).port;
    const multipart = form && new Response(form);
    const body = multipart ? Buffer.from(await multipart.arrayBuffer()) : json && JSON.stringify(json);
    const headers: Record<string, string> = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(key ? { 'idempotency-key': key } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
      ...(multipart ? { 'content-type': multipart.headers.get('content-type') ?? '' } : {}),
    };
    return sendRequest(port ?? 0, path, { method, headers, from, ...(body ? { body } : {}) });
  }

  const session = async (where: Where, path: string, json: Record<string, string>): Promise<Person> => {
    const response = await call('auth', where, `POST /api/v1/auth/${path}`, { json });
    if (response.status >= 300) throw new Error(`${path} responded ${response.status}: ${response.text}`);
    return {
      email: String(json.email),
      token: String(response.json.token),
      refreshToken: String(response.json.refresh_token),
    };
  };
  const password = 'correct horse';

  return {
    stop: () => shop.stop(),
    call,
    register(where: Where = 'nginx'): Promise<Person> {
      const phone = `+${randomInt(1e10, 1e12)}`;
      return session(where, 'register', {
        name: 'Ada',
        email: `${randomUUID()}@example.com`,
        phone,
        password,
      });
    },
    logIn: (where: Where, email: string, as = password) => {
      const credentials = { email, password: as };
      return session(where, 'login', credentials);
    },
    refresh: (where: Where, refreshToken: string) =>
      call('auth', where, 'POST /api/v1/auth/refresh', { json: { refresh_token: refreshToken } }),
    async aProduct({ token }: Person, fields: object = {}): Promise<number> {
      const json = { name: 'Mug', price: 2.5, stock: 100, ...fields };
      return Number((await call('product', 'nginx', 'POST /api/v1/products', { token, json })).json.id);
    },
    async anAddress({ token }: Person): Promise<number> {
      const json = { address: 'Main Street 1' };
      return Number((await call('address', 'nginx', 'POST /api/v1/addresses', { token, json })).json.id);
    },
  };
}

export type Pairs = Awaited<ReturnType<typeof startPairs>>;
