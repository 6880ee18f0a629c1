import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, privateFleet, type Random, random, repoRoot } from '@shop/test-servers';
import { type Intent, responseChecker } from './check-response';
import { curlOf } from './curl';
import { malformedRequest } from './malformed-requests';
import { type OpenApi, type Operation, operationsOf } from './operations';
import { openWorld, type Person, type World } from './people';
import { encodeRequest, type HttpRequest, type HttpResponse, type RequestParts, sendRequest } from './request';
import { validRequest, wrongRequests } from './wrong-requests';

export interface FuzzOptions {
  seed: number;
  requests: number;
  print: (line: string) => void;
  /** Ends the run early. */
  signal?: AbortSignal;
}

interface FuzzFailure {
  turn: number;
  operation: string;
  what: string;
  problem: string;
  curl: string;
}

export interface FuzzResult {
  /** By operation, then by status. */
  counts: Map<string, Map<number, number>>;
  failures: FuzzFailure[];
  slowestMs: number;
  /** Requests that were retried because the database was busy. */
  retries: number;
}

interface Planned {
  what: string;
  intent: Intent;
  parts: RequestParts;
}

interface Run {
  seed: number;
  operations: Operation[];
  world: World;
  baseOf(operation: Operation, draw: Random): string;
  check: ReturnType<typeof responseChecker>;
  result: FuzzResult;
}

const JWT_SECRET = 'local-development-only-secret-for-the-fuzz-run';
const CLIENTS = 4;
const BUSY_RETRIES = 5;

/**
 * Starts its own servers and sends valid, invalid and malformed requests, generated from the OpenAPI document, to all six
 * services, through Nginx and directly. Seed and turn determine a request; its ids come from earlier responses.
 */
export async function fuzz({ seed, requests, print, signal }: FuzzOptions): Promise<FuzzResult> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'shop-fuzz-'));
  const google = await startGoogle();
  const env = { GOOGLE_CLIENT_ID: 'fuzz', GOOGLE_CERTS_URL: google.url };
  const shop = await privateFleet({ dir, jwtSecret: JWT_SECRET, env });
  try {
    await shop.start();
    const document: OpenApi = JSON.parse(await readFile(path.join(repoRoot, 'nginx/html/openapi.json'), 'utf8'));
    const { fleet } = shop;
    const run: Run = {
      seed,
      operations: operationsOf(document),
      world: await openWorld(fleet.url),
      baseOf: await addressesOf(fleet.url, fleet.instances),
      check: responseChecker(document),
      result: { counts: new Map(), failures: [], slowestMs: 0, retries: 0 },
    };
    let turn = 0;
    const client = async () => {
      while (turn < requests && !signal?.aborted) {
        turn += 1;
        if (turn % 5000 === 0) print(`${turn} requests, ${run.result.failures.length} failures`);
        await takeTurn(run, turn);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    return run.result;
  } finally {
    await shop.stop();
    google.server.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Half of the requests go through Nginx, the others directly to the service whose document has the path. */
async function addressesOf(gateway: string, instances: readonly { url: string }[]): Promise<Run['baseOf']> {
  const direct = new Map<string, string>();
  for (const { url } of instances) {
    const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
    for (const at of Object.keys(paths)) direct.set(at, url);
  }
  return ({ path: at }, draw) => (draw.chance(0.5) ? gateway : (direct.get(at) ?? gateway));
}

/** Serves Google's keys, so that sign-in with any token is rejected instead of unavailable. */
async function startGoogle(): Promise<{ server: Server; url: string }> {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'fuzz' }] });
  const server = createServer((_req, res) => res.setHeader('Content-Type', 'application/json').end(keys));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

async function takeTurn(run: Run, turn: number): Promise<void> {
  const draw = random(run.seed, turn);
  const operation = draw.pick(run.operations);
  const caller = callerFor(run.world, operation, draw);
  const { what, intent, parts } = plan(run, operation, caller, draw);
  const base = run.baseOf(operation, draw);
  const request = encodeRequest(operation, parts);
  const fail = (problem: string) =>
    run.result.failures.push({ turn, operation: operation.name, what, problem, curl: curlOf(base, request) });
  try {
    const response = await sendAs(run, base, request, caller);
    count(run.result, operation, response);
    run.world.learn(operation.path, caller, response.headers, jsonOf(response));
    for (const problem of run.check(operation, intent, response)) fail(problem);
  } catch (error) {
    fail(`no response: ${messageOf(error)}`);
  }
}

function plan({ world }: Run, operation: Operation, caller: Person | undefined, draw: Random): Planned {
  const known = world.known(operation, caller);
  const kind = draw.integer(1, 100);
  if (kind <= 40) {
    const wrong = wrongRequests(operation, draw, known);
    if (wrong.length > 0) {
      const { what, makeParts, expected } = draw.pick(wrong);
      return { what, parts: makeParts(), intent: { kind: 'wrong', expected } };
    }
  }
  const valid = validRequest(operation, draw, known);
  if (kind > 80) return { ...malformedRequest(operation, valid, draw), intent: { kind: 'malformed' } };
  return { what: 'a valid request', parts: valid, intent: { kind: 'valid' } };
}

function callerFor({ admin, users }: World, { isPublic }: Operation, draw: Random): Person | undefined {
  if (draw.chance(isPublic ? 0.5 : 0.03)) return undefined;
  return draw.chance(0.3) ? admin : draw.pick(users);
}

/** Logs in again if the token was revoked, and retries if the database is busy, like a real client. */
async function sendAs(
  { world, result }: Run,
  base: string,
  request: HttpRequest,
  caller: Person | undefined,
): Promise<HttpResponse> {
  for (let attempt = 1; ; attempt++) {
    const token: Record<string, string> =
      caller && request.headers.authorization === undefined ? { authorization: `Bearer ${caller.token}` } : {};
    const response = await sendRequest(base, { ...request, headers: { ...request.headers, ...token } });
    result.slowestMs = Math.max(result.slowestMs, response.ms);
    const revoked = response.status === 401 && caller && token.authorization && attempt === 1;
    const busy =
      response.status === 503 &&
      ['database_busy', 'overloaded'].includes(String(codeOf(response))) &&
      attempt <= BUSY_RETRIES;
    if (revoked && codeOf(response) === 'unauthenticated') await world.logIn(caller);
    else if (busy) await sleep(200 * attempt);
    else return response;
    if (busy) result.retries += 1;
  }
}

function count({ counts }: FuzzResult, { name }: Operation, { status }: HttpResponse): void {
  const byStatus = counts.get(name) ?? new Map<number, number>();
  counts.set(name, byStatus.set(status, (byStatus.get(status) ?? 0) + 1));
}

function jsonOf({ headers, body }: HttpResponse): unknown {
  if (!headers['content-type']?.includes('json')) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

const codeOf = (response: HttpResponse): unknown => (jsonOf(response) as { code?: unknown } | undefined)?.code;
