import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { AccessTokens } from '../auth/access-token';
import type { AnswerCache } from '../cache/answer-cache';
import type { CoreConfig } from '../config/core-config';
import { authenticate } from './authenticate';
import type { AnyInput, AnyReply, Endpoint } from './endpoint';
import { bodyReader } from './request-body';
import { contextOf } from './request-context';
import { Validation, withoutEmpty } from './validation';

interface HandlerParts {
  config: Pick<CoreConfig, 'corsOrigins'>;
  tokens: AccessTokens;
  cache: AnswerCache;
}

/** The way of every request through its endpoint: who, what, (cached) answer, check, send. */
export function endpointHandler(endpoint: Endpoint, { config, tokens, cache }: HandlerParts): RequestHandler {
  const readInput = inputReader(endpoint);
  return async (req, res) => {
    const caller = authenticate(req, endpoint.access, { tokens, origins: config.corsOrigins });
    if (caller) contextOf(res).caller = caller;
    const input: AnyInput = { caller, ...(await readInput(req, res)) };
    if (endpoint.cache) return sendCached(endpoint, cache, input, res);
    return send(endpoint, await endpoint.handler(input), req, res);
  };
}

function inputReader(endpoint: Endpoint) {
  const readBody = bodyReader(endpoint);
  return async (req: Request, res: Response): Promise<Omit<AnyInput, 'caller'>> => {
    const { fields, isForm, file } = await readBody(req, res);
    const validation = new Validation();
    const params = validation.parse('path', endpoint.params, req.params);
    const query = validation.parse('query', endpoint.query, withoutEmpty(req.query));
    const headers = validation.parse('header', endpoint.headers, req.headers);
    const body = validation.parse('body', isForm ? endpoint.form : endpoint.body, fields);
    if (endpoint.upload?.required && !file) {
      validation.add({
        in: 'body',
        path: endpoint.upload.field,
        message: 'is required: one file, as multipart/form-data',
      });
    }
    validation.finish();
    return { params, query, headers, body, file };
  };
}

/** The bytes of a checked answer: what the schema does not name is cut, what does not fit is a bug. */
function encode(endpoint: Endpoint, { status, body }: AnyReply): Buffer {
  const schema = endpoint.answers[status as keyof typeof endpoint.answers];
  if (!(schema instanceof z.ZodType))
    throw new Error(`${endpoint.method} ${endpoint.path} declares no body for ${status}`);
  const checked = schema.safeParse(body);
  if (!checked.success) {
    throw new Error(`${endpoint.method} ${endpoint.path} answers against its schema`, { cause: checked.error });
  }
  return Buffer.from(JSON.stringify(checked.data));
}

const sendJson = (res: Response, status: number, bytes: Buffer): void => {
  res.status(status).setHeader('Content-Type', 'application/json; charset=utf-8');
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Length', bytes.length);
  res.end(bytes);
};

async function send(endpoint: Endpoint, reply: AnyReply, req: Request, res: Response): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value);
  if (reply.write) {
    res.status(reply.status);
    await reply.write(req, res);
    return;
  }
  if (endpoint.answers[reply.status as keyof typeof endpoint.answers] === 'empty') {
    res.status(reply.status).end();
    return;
  }
  sendJson(res, reply.status, encode(endpoint, reply));
}

async function sendCached(endpoint: Endpoint, cache: AnswerCache, input: AnyInput, res: Response): Promise<void> {
  const rule = endpoint.cache?.(input);
  if (!rule) throw new Error('sendCached needs a cache rule');
  const cached = await cache.read(`${endpoint.path}:${rule.key}`, rule.scopes, rule.ttlSeconds);
  res.setHeader('X-Cache', cached.status.toUpperCase());
  if (cached.status === 'hit') return sendJson(res, 200, cached.bytes);
  const bytes = encode(endpoint, await endpoint.handler(input));
  if (cached.status === 'miss') await cached.store(bytes);
  sendJson(res, 200, bytes);
}
