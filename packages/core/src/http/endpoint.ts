import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Caller } from '../auth';
import type { CacheRule } from '../cache';
import type { ErrorDefinition } from '../errors';
import { type Attempt, idempotencyHeaders, idempotencyKeyReused } from '../idempotency';
import type { IfMatch } from '../preconditions';
import type { FileKind, Storage, UploadedFile } from '../storage';

export type Access = 'public' | 'user' | 'admin';
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A response that is not JSON, with its media types for the OpenAPI document. */
interface BinaryResponse {
  binary: readonly string[];
}

/** What an operation belongs to in the document. */
export interface Tag {
  name: string;
  description: string;
}

type SuccessStatus = 200 | 201 | 202 | 204;

/** Per status: the schema of the body (fields that it does not name are removed), or binary. A 204 is empty. */
export type Responses = Partial<Record<Exclude<SuccessStatus, 204>, z.ZodType | BinaryResponse>> & { 204?: 'empty' };

/** Sent as HttpOnly, SameSite=Strict and, outside the local environment, Secure. */
export interface ResponseCookie {
  name: string;
  value: string;
  path: string;
  /** 0 removes it. */
  maxAgeSeconds: number;
}

interface WithHeaders {
  headers?: Record<string, string>;
  cookies?: ResponseCookie[];
}

type ResponseFor<Status, Declared> = Declared extends z.ZodType
  ? { status: Status; body: z.input<Declared> } & WithHeaders
  : { status: Status; write: (req: Request, res: Response) => Promise<void> } & WithHeaders;

/** A handler returns one of its declared statuses, with the body declared for that status; nothing or cookies for a 204. */
type Handled<R extends Responses> = R extends { 204: 'empty' }
  ? Promise<void> | Promise<Pick<AnyResponse, 'status' | 'cookies'>>
  : Promise<{ [S in keyof R & SuccessStatus]: ResponseFor<S, R[S]> }[keyof R & SuccessStatus]>;

/** The only file field of a multipart endpoint. */
export interface Upload {
  field: string;
  /** If false, the endpoint also accepts JSON. */
  required: boolean;
  maxBytes: number;
  kinds: readonly FileKind[];
  /** Receives the file while it arrives. */
  storage: Pick<Storage, 'receive'>;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

interface Input<A extends Access, P, Q, B, U, H, M> {
  caller: A extends 'public' ? Caller | undefined : Caller;
  params: Parsed<P>;
  query: Parsed<Q>;
  /** The query as the client sent it, without empty parameters: for links. */
  sentQuery: Record<string, unknown>;
  headers: Parsed<H>;
  body: Parsed<B>;
  /** The condition of a write that declares `ifMatch`. */
  ifMatch: M extends z.ZodType ? IfMatch<z.input<M>> : undefined;
  file: U extends Upload ? (U['required'] extends true ? UploadedFile : UploadedFile | undefined) : undefined;
  /** The client's IP address, as reported by trusted proxies. */
  clientIp: string;
  userAgent: string | undefined;
  /** The id of the request in its log lines and in its response. */
  requestId: string;
  /** The value of the declared `cookie`. */
  cookie: string | undefined;
  /** undefined if the request has no idempotency key, or the endpoint is not `idempotent`. */
  attempt: Attempt | undefined;
}

interface EndpointSpec<
  A extends Access,
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  U extends Upload | undefined,
  R extends Responses,
  H extends Schema,
  M extends Schema,
> {
  method: Method;
  /** Express path (`/api/v1/products/:id`), also the metrics label. */
  path: string;
  /** The name of the operation in the document, from which generated clients name their functions. Default: from the path. */
  operationId?: string;
  tag: Tag;
  summary: string;
  description?: string;
  access: A;
  params?: P;
  query?: Q;
  /** Headers specific to this endpoint, by lower-case name. */
  headers?: H;
  /** Accepts an `Idempotency-Key`: the handler must pass on `attempt`. Needs a caller. */
  idempotent?: true;
  /** The name of the cookie that it reads. A write refuses it if another site has sent the request. */
  cookie?: string;
  /** JSON body. Use a strict object, so that unknown fields are rejected. */
  body?: B;
  /** The fields of a multipart body, which are all strings. Must have the same output as `body`. */
  form?: B extends z.ZodType ? z.ZodType<z.output<B>> : never;
  upload?: U;
  responses: R;
  /** Whether its success can have cookies. */
  setsCookies?: true;
  /** Whether its 200 has links to other pages of the list. */
  hasLinks?: true;
  /** For a write that honours If-Match: the schema of the response to a GET of the same resource. */
  ifMatch?: M;
  errors?: readonly ErrorDefinition[];
  /** The rate-limit bucket for everything below this path, if not the general one. */
  bucket?: 'uploads';
  /** The error for a path with invalid percent-encoding, whatever the method. Default: `malformed_request`. */
  undecodablePath?: ErrorDefinition;
  /** Only for endpoints whose only response is a 200 with a schema. */
  cache?: (input: Input<A, P, Q, B, U, H, M>) => CacheRule;
  handler: (input: Input<A, P, Q, B, U, H, M>) => Handled<R>;
}

type Schema = z.ZodType | undefined;

/** A declared endpoint with its types erased, for lists of endpoints. */
export interface Endpoint
  extends Omit<EndpointSpec<Access, Schema, Schema, Schema, Upload | undefined, Responses, Schema, Schema>, 'handler'> {
  handler: (input: AnyInput) => Promise<AnyResponse | undefined>;
}

export type AnyInput = Input<Access, Schema, Schema, Schema, Upload | undefined, Schema, Schema>;

export interface AnyResponse extends WithHeaders {
  status: number;
  body?: unknown;
  write?: (req: Request, res: Response) => Promise<void>;
}

/**
 * Declares an endpoint once: its route, validation, handler types, OpenAPI operation and metrics label come from here.
 *
 * @example
 * endpoint({
 *   method: 'get',
 *   path: '/api/v1/products/:id',
 *   operationId: 'getProduct',
 *   tag,
 *   summary: 'Show one product',
 *   access: 'user',
 *   params: idParams,
 *   responses: { 200: product },
 *   errors: [notFound],
 *   handler: async ({ caller, params }) => ok(await showProduct(caller, params.id)),
 * });
 */
export function endpoint<
  A extends Access,
  R extends Responses,
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  const U extends Upload | undefined = undefined,
  H extends Schema = undefined,
  M extends Schema = undefined,
>(spec: EndpointSpec<A, P, Q, B, U, R, H, M>): Endpoint {
  // Each handler gets exactly the output of its own schemas, so it is safe to erase the types here.
  return (spec.idempotent ? withIdempotencyKey(spec) : spec) as unknown as Endpoint;
}

const withIdempotencyKey = <T extends { headers?: Schema; errors?: readonly ErrorDefinition[] }>(spec: T) => ({
  ...spec,
  headers: spec.headers instanceof z.ZodObject ? spec.headers.extend(idempotencyHeaders.shape) : idempotencyHeaders,
  errors: [...(spec.errors ?? []), idempotencyKeyReused],
});

export const ok = <T>(body: T) => ({ status: 200 as const, body });
export const noContent = (cookies: ResponseCookie[]) => ({ status: 204 as const, cookies });
export const accepted = <T>(body: T) => ({ status: 202 as const, body });
export const created = <T>(location: string, body: T) => ({
  status: 201 as const,
  body,
  headers: { Location: location },
});
