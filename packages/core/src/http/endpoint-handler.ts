import { stringifySetCookie } from 'cookie';
import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { AccessTokenVerifier, Caller, Revocations } from '../auth';
import type { ResponseCache } from '../cache';
import { type Attempt, hashOfForm, hashOfJson } from '../idempotency';
import type { Metrics } from '../metrics';
import { entityTag, gzipTag, type IfMatch, tagNamedBy } from '../preconditions';
import { authenticate, cookieOf } from './authenticate';
import type { AnyInput, AnyResponse, Endpoint, ResponseCookie } from './endpoint';
import { undeclaredErrorCheck } from './endpoint-errors';
import type { HttpConfig } from './http-config';
import type { MaybePromise } from './maybe-promise';
import { isMultipart } from './multipart-boundary';
import { knownError } from './problem';
import { pack, represent, sendJson, sendRepresentation, setHeaders, unpack } from './representation';
import { bodyReader, type RequestBody, readsBody } from './request-body';
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
  const { config, cache, metrics } = deps;
  const authentication = { ...deps, origins: config.corsOrigins };
  const readBody = bodyReader(endpoint);
  const toInput = inputReader(endpoint);
  const cacheControl = cacheControlOf(endpoint);
  const respond = async (req: Request, res: Response): Promise<void> => {
    const context = contextOf(res);
    context.route = endpoint.path;
    const authenticated = authenticate(req, endpoint.access, authentication);
    const caller = authenticated instanceof Promise ? await authenticated : authenticated;
    if (caller) context.caller = caller;
    const cookie = endpoint.cookie && cookieOf(req, endpoint.cookie, config.corsOrigins);
    const read = readBody(req, res);
    const body = read instanceof Promise ? await read : read;
    let response: AnyResponse | undefined;
    let attempt: Attempt | undefined;
    try {
      const valid = toInput(req, body);
      const key = endpoint.idempotent && caller && req.get('Idempotency-Key');
      if (key !== undefined && caller) attempt = await attemptOf(endpoint, caller, key, req, body);
      const { clientIp, requestId } = context;
      const userAgent = req.headers['user-agent'];
      const ifMatch = conditionOf(endpoint, req);
      const input: AnyInput = { ...valid, caller, clientIp, userAgent, requestId, cookie, attempt, ifMatch };
      res.setHeader('Cache-Control', cacheControl);
      if (endpoint.cache) return await sendCached(endpoint, cache, input, req, res);
      response = await endpoint.handler(input);
    } finally {
      // This does not affect a file that the handler stored.
      if (body.file) await body.file.discard();
    }
    setCookies(res, response?.cookies, config.secureCookies);
    return send(endpoint, response, attempt?.replay, req, res);
  };
  const counted = endpoint.upload ? countUploads(respond, metrics) : respond;
  return config.refusesUndeclaredErrors ? rejectUndeclaredErrors(endpoint, counted) : counted;
}

function rejectUndeclaredErrors(endpoint: Endpoint, respond: Respond): Respond {
  const checked = undeclaredErrorCheck(endpoint);
  return function respondAsDeclared(req, res) {
    return respond(req, res).catch(function check(error: unknown) {
      throw checked(error);
    });
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
  const bodySchema = readsBody(endpoint) ? (endpoint.body ?? noFields.optional()) : undefined;
  return function readInput(
    req: Request,
    { fields, isForm, file, errors }: RequestBody,
  ): Pick<AnyInput, 'params' | 'query' | 'sentQuery' | 'headers' | 'body' | 'file'> {
    const validation = new Validation(errors);
    const params = validation.parse('path', endpoint.params, req.params);
    const sentQuery = endpoint.query && req.url.includes('?') ? withoutEmpty(req.query) : {};
    const query = validation.parse('query', endpoint.query, sentQuery);
    const headers = validation.parse('header', endpoint.headers, req.headers);
    // If the endpoint accepts only a form, report just the missing file for an absent body.
    const body = isForm
      ? validation.parse('form', endpoint.form, fields)
      : endpoint.upload?.required
        ? undefined
        : validation.parse('body', bodySchema, fields);
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
  { id }: Caller,
  key: string,
  req: Request,
  { fields, isForm, file }: RequestBody,
): Promise<Attempt> {
  // Decoded, so that each resource has one path.
  const path = endpoint.path.replace(/:(\w+)/g, (_, name: string) => String(req.params[name]));
  return {
    userId: id,
    route: `${req.method} ${path}`,
    key,
    hash: isForm ? hashOfForm(fields, await file?.sha256()) : hashOfJson(fields),
    toJson: (result) => encode(endpoint, Number(Object.keys(endpoint.responses)[0]), result),
  };
}

/** The If-Match condition of a write. Its tags are those of the GET that has this schema. */
function conditionOf(endpoint: Endpoint, { headers }: Request): IfMatch<unknown> {
  const { ifMatch: schema } = endpoint;
  const header = headers['if-match'];
  if (!schema || header === undefined) return undefined;
  return function isNamed(current) {
    const tag = entityTag(encodeWith(schema, current, endpoint));
    return tagNamedBy(header, [tag, gzipTag(tag)], 'strong') !== undefined;
  };
}

/** A shared cache must not keep what a token has opened. Writes may return tokens and secrets. */
function cacheControlOf({ method, access }: Endpoint): string {
  if (method !== 'get') return 'no-store';
  return access === 'public' ? 'no-cache' : 'private, no-cache';
}

/** The body of a response as JSON. */
function encode(endpoint: Endpoint, status: number, body: unknown): string {
  const schema = endpoint.responses[status as keyof typeof endpoint.responses];
  if (!(schema instanceof z.ZodType))
    throw new Error(`${endpoint.method} ${endpoint.path} declares no body for ${status}`);
  return encodeWith(schema, body, endpoint);
}

/** As JSON, without fields that the schema does not name. A body that does not match is a bug. */
function encodeWith(schema: z.ZodType, body: unknown, { method, path }: Endpoint): string {
  const checked = schema.safeParse(body);
  if (!checked.success) {
    throw new Error(`the response of ${method} ${path} does not match its schema`, { cause: checked.error });
  }
  return JSON.stringify(checked.data);
}

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
function send(
  endpoint: Endpoint,
  response: AnyResponse | undefined,
  replay: string | undefined,
  req: Request,
  res: Response,
): MaybePromise<void> {
  if ((!response || response.status === 204) && endpoint.responses[204]) {
    res.status(204).end();
    return undefined;
  }
  if (!response) throw new Error(`${endpoint.method} ${endpoint.path} returned nothing and declares no 204`);
  if (response.write) {
    setHeaders(res, response.headers);
    res.status(response.status);
    return response.write(req, res);
  }
  const json = replay ?? encode(endpoint, response.status, response.body);
  if (endpoint.method === 'get') return sendRepresentation(req, res, represent(json, response.headers));
  setHeaders(res, response.headers);
  if (replay !== undefined) res.setHeader(REPLAYED, 'true');
  return sendJson(res, response.status, json);
}

async function sendCached(
  endpoint: Endpoint,
  cache: ResponseCache,
  input: AnyInput,
  req: Request,
  res: Response,
): Promise<void> {
  const rule = endpoint.cache?.(input);
  if (!rule) throw new Error('sendCached needs a cache rule');
  const load = async () => {
    const response = await endpoint.handler(input);
    return await pack(represent(encode(endpoint, 200, response?.body), response?.headers));
  };
  const { status, bytes } = await cache.getOrLoad(endpoint.path, rule, load);
  res.setHeader('X-Cache', X_CACHE[status]);
  return sendRepresentation(req, res, unpack(bytes));
}

/** Like Nginx with `proxy_cache_lock`, a request that waited for another request's query counts as a hit. */
const X_CACHE = { hit: 'HIT', coalesced: 'HIT', miss: 'MISS', bypass: 'BYPASS' } as const;
