import { stringifySetCookie } from 'cookie';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { AccessTokenVerifier, Caller, Revocations } from '../auth';
import type { ResponseCache } from '../cache';
import { type Attempt, hashOfForm, hashOfJson } from '../idempotency';
import type { Metrics } from '../metrics';
import { clientIpOf } from '../rate-limit';
import { authenticate, cookieOf } from './authenticate';
import type { AnyInput, AnyResponse, Endpoint, ResponseCookie } from './endpoint';
import { undeclaredErrorCheck } from './endpoint-errors';
import type { HttpConfig } from './http-config';
import { isMultipart } from './multipart-boundary';
import { knownError } from './problem';
import { bodyReader, type RequestBody } from './request-body';
import { contextOf } from './request-context';
import { uploadMetrics } from './request-metrics';
import { noFields } from './schemas';
import { Validation, withoutEmpty } from './validation';

interface HandlerDeps {
  config: Pick<HttpConfig, 'corsOrigins' | 'secureCookies' | 'refusesUndeclaredErrors'>;
  tokens: AccessTokenVerifier;
  revocations: Revocations;
  cache: ResponseCache;
  metrics: Metrics;
}

/** Authenticates, reads and validates a request, runs the handler or the cache, checks and sends the response. */
export function endpointHandler(endpoint: Endpoint, deps: HandlerDeps): RequestHandler {
  const { config, tokens, revocations, cache, metrics } = deps;
  const readBody = bodyReader(endpoint);
  const toInput = inputReader(endpoint);
  const respond = async (req: Request, res: Response): Promise<void> => {
    const caller = await authenticate(req, endpoint.access, { tokens, revocations, origins: config.corsOrigins });
    if (caller) contextOf(res).caller = caller;
    const cookie = endpoint.cookie && cookieOf(req, endpoint.cookie, config.corsOrigins);
    const body = await readBody(req, res);
    let response: AnyResponse | undefined;
    let attempt: Attempt | undefined;
    try {
      const { requestId } = contextOf(res);
      const client = { clientIp: clientIpOf(req), userAgent: req.headers['user-agent'], requestId, cookie };
      const valid = toInput(req, body);
      attempt = await attemptOf(endpoint, caller, req, body);
      const input: AnyInput = { caller, ...client, ...valid, attempt };
      if (endpoint.cache) return await sendCached(endpoint, cache, input, res);
      response = await endpoint.handler(input);
    } finally {
      // This does not affect a file that the handler stored.
      await body.file?.discard();
    }
    setCookies(res, response?.cookies, config.secureCookies);
    return send(endpoint, response, attempt?.replay, req, res);
  };
  const counted = endpoint.upload ? countUploads(respond, metrics) : respond;
  return config.refusesUndeclaredErrors ? rejectUndeclaredErrors(endpoint, counted) : counted;
}

function rejectUndeclaredErrors(endpoint: Endpoint, respond: Respond): Respond {
  const checked = undeclaredErrorCheck(endpoint);
  return async function respondAsDeclared(req, res) {
    try {
      await respond(req, res);
    } catch (error) {
      throw checked(error);
    }
  };
}

const REPLAYED = 'Idempotent-Replayed';

type Respond = (req: Request, res: Response) => Promise<void>;

function countUploads(respond: Respond, metrics: Metrics): Respond {
  const { uploads, bytes } = uploadMetrics(metrics);
  return async function respondCounted(req, res) {
    if (!isMultipart(req.headers['content-type'])) return respond(req, res);
    try {
      await respond(req, res);
    } catch (error) {
      const known = knownError(error);
      uploads.inc({ outcome: known && known.kind !== 'unavailable' ? 'refused' : 'failed' });
      throw error;
    }
    if (!req.file || res.hasHeader(REPLAYED)) return;
    uploads.inc({ outcome: 'stored' });
    bytes.inc(req.file.size);
  };
}

function inputReader(endpoint: Endpoint) {
  return function readInput(
    req: Request,
    { fields, isForm, file, errors }: RequestBody,
  ): Pick<AnyInput, 'params' | 'query' | 'sentQuery' | 'headers' | 'body' | 'file'> {
    const validation = new Validation(errors);
    const params = validation.parse('path', endpoint.params, req.params);
    const sentQuery = withoutEmpty(req.query);
    const query = validation.parse('query', endpoint.query, sentQuery);
    const headers = validation.parse('header', endpoint.headers, req.headers);
    // If the endpoint accepts only a form, report just the missing file for an absent body.
    const body = isForm
      ? validation.parse('form', endpoint.form, fields)
      : endpoint.upload?.required
        ? undefined
        : validation.parse('body', endpoint.body ?? noFields.optional(), fields);
    const field = endpoint.upload?.required ? endpoint.upload.field : undefined;
    if (field && !file && errors.every(({ path }) => path !== field)) {
      validation.add({
        in: 'body',
        path: field,
        code: 'required',
        message: 'is required: one file, as multipart/form-data',
      });
    }
    validation.finish();
    return { params, query, sentQuery, headers, body, file };
  };
}

/** Call it with a valid request. */
async function attemptOf(
  endpoint: Endpoint,
  caller: Caller | undefined,
  req: Request,
  { fields, isForm, file }: RequestBody,
): Promise<Attempt | undefined> {
  const key = req.get('Idempotency-Key');
  if (!endpoint.idempotent || !caller || key === undefined) return undefined;
  // Decoded, so that each resource has one path.
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => String(req.params[name]));
  return {
    userId: caller.id,
    route: `${req.method} ${path}`,
    key,
    hash: isForm ? hashOfForm(fields, await file?.sha256()) : hashOfJson(fields),
    toJson: (result) => encode(endpoint, Number(Object.keys(endpoint.responses)[0]), result),
  };
}

/** The body as JSON, without fields that the schema does not name. A body that does not match is a bug. */
function encode(endpoint: Endpoint, status: number, body: unknown): string {
  const schema = endpoint.responses[status as keyof typeof endpoint.responses];
  if (!(schema instanceof z.ZodType))
    throw new Error(`${endpoint.method} ${endpoint.path} declares no body for ${status}`);
  const checked = schema.safeParse(body);
  if (!checked.success) {
    throw new Error(`the response of ${endpoint.method} ${endpoint.path} does not match its schema`, {
      cause: checked.error,
    });
  }
  return JSON.stringify(checked.data);
}

/** @param json preferably a string: Node sends it in one write with the headers */
const sendJson = (res: Response, status: number, json: string | Buffer): void => {
  res.status(status).setHeader('Content-Type', 'application/json; charset=utf-8');
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
};

function setCookies(res: Response, cookies: readonly ResponseCookie[] = [], secure: boolean): void {
  for (const { name, value, path, maxAgeSeconds: maxAge } of cookies) {
    const options = { path, maxAge, secure, httpOnly: true, sameSite: 'strict' } as const;
    res.appendHeader('Set-Cookie', stringifySetCookie(name, value, options));
  }
}

/**
 * @param response undefined or without a body if the endpoint declares a 204
 * @param replay the body to send instead. It is not checked: an earlier release may have made it
 */
async function send(
  endpoint: Endpoint,
  response: AnyResponse | undefined,
  replay: string | undefined,
  req: Request,
  res: Response,
): Promise<void> {
  if ((!response || response.status === 204) && endpoint.responses[204]) {
    res.status(204).end();
    return;
  }
  if (!response) throw new Error(`${endpoint.method} ${endpoint.path} returned nothing and declares no 204`);
  for (const [name, value] of Object.entries(response.headers ?? {})) res.setHeader(name, value);
  if (response.write) {
    res.status(response.status);
    await response.write(req, res);
    return;
  }
  if (replay !== undefined) res.setHeader(REPLAYED, 'true');
  sendJson(res, response.status, replay ?? encode(endpoint, response.status, response.body));
}

async function sendCached(endpoint: Endpoint, cache: ResponseCache, input: AnyInput, res: Response): Promise<void> {
  const rule = endpoint.cache?.(input);
  if (!rule) throw new Error('sendCached needs a cache rule');
  const load = async () => {
    const response = await endpoint.handler(input);
    return Buffer.from(`${JSON.stringify(response?.headers ?? {})}\n${encode(endpoint, 200, response?.body)}`);
  };
  const { status, bytes } = await cache.getOrLoad(endpoint.path, rule, load);
  const endOfHeaders = bytes.indexOf('\n');
  const headers: Record<string, string> = JSON.parse(bytes.toString('utf8', 0, endOfHeaders));
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  res.setHeader('X-Cache', X_CACHE[status]);
  sendJson(res, 200, bytes.subarray(endOfHeaders + 1));
}

/** Like Nginx with `proxy_cache_lock`, a request that waited for another request's query counts as a hit. */
const X_CACHE = { hit: 'HIT', coalesced: 'HIT', miss: 'MISS', bypass: 'BYPASS' } as const;
