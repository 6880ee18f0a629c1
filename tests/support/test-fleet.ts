import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { type FleetOptions, type PrivateFleet, privateFleet } from '@shop/fleet';
import { JWT_SECRET } from './test-app';

export type TestFleet = Omit<PrivateFleet, 'start'>;

/** The six services behind a real Nginx, over a database and a Redis that a test may kill; started. */
export async function startTestFleet(
  options: Pick<FleetOptions, 'replicas' | 'statusPort'> & { env?: FleetOptions['env'] } = {},
): Promise<TestFleet> {
  const dir = await mkdtemp(path.join(process.env.SHOP_TEST_DIR ?? '/tmp', 'fleet-'));
  const shop = await privateFleet({ dir, jwtSecret: JWT_SECRET, ...options });
  await shop.start();
  return shop;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  /** From the call to the last byte. */
  ms: number;
}

interface CallOptions {
  token?: string | undefined;
  json?: object;
  form?: FormData;
}

/** One request. It gives up only where no answer will ever come. */
export async function call(method: string, url: string, { token, json, form }: CallOptions = {}): Promise<Answer> {
  const start = performance.now();
  const answer = await fetch(url, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(json ? { 'content-type': 'application/json' } : {}),
    },
    body: form ?? (json ? JSON.stringify(json) : null),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  return {
    status: answer.status,
    headers: answer.headers,
    body: isJson ? JSON.parse(text) : {},
    ms: performance.now() - start,
  };
}
