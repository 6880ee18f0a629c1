import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { type FleetOptions, type PrivateFleet, privateFleet } from '@shop/test-servers';
import { JWT_SECRET } from './test-app';

export type TestFleet = Omit<PrivateFleet, 'start'>;

/** Starts the six services behind a real Nginx, with a database and a Redis that a test may kill. */
export async function startTestFleet(
  options: Pick<FleetOptions, 'replicas' | 'statusPort'> & { env?: FleetOptions['env'] } = {},
): Promise<TestFleet> {
  const dir = await mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'fleet-'));
  const shop = await privateFleet({ dir, jwtSecret: JWT_SECRET, ...options });
  await shop.start();
  return shop;
}

export interface HttpResponse {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  /** From the call to the last byte of the response. */
  ms: number;
}

interface CallOptions {
  token?: string | undefined;
  json?: object;
  form?: FormData;
}

/** One request. The timeout is only for a response that never arrives. */
export async function call(
  method: string,
  url: string,
  { token, json, form }: CallOptions = {},
): Promise<HttpResponse> {
  const start = performance.now();
  const response = await fetch(url, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
    },
    body: form ?? (json ? JSON.stringify(json) : null),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : {},
    ms: performance.now() - start,
  };
}
