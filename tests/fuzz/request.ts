import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Operation } from './operations';

/** The parts of a request to an operation, as values. */
export interface RequestParts {
  params: Record<string, string>;
  /** With several values, the parameter is repeated. */
  query: Record<string, string[]>;
  headers: Record<string, string>;
  body: JsonBody | FormBody | RawBody | undefined;
}

interface JsonBody {
  kind: 'json';
  value: unknown;
}

export interface FormBody {
  kind: 'form';
  fields: Record<string, string[]>;
  file: { field: string; name: string; type: string; bytes: Buffer } | undefined;
}

interface RawBody {
  kind: 'raw';
  type: string | undefined;
  bytes: Buffer;
}

/** The encoded request. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  ms: number;
}

const BOUNDARY = 'fuzz-boundary-7MA4YWxkTrZu0gW';

export function encodeRequest({ method, path }: Operation, parts: RequestParts): HttpRequest {
  const query = Object.entries(parts.query)
    .flatMap(([name, values]) => values.map((value) => `${encodeURIComponent(name)}=${encodeText(value)}`))
    .join('&');
  const at = path.replace(/\{(\w+)\}/g, (_, name: string) => parts.params[name] ?? '');
  const { type, bytes } = encodeBody(parts.body);
  return {
    method,
    path: query ? `${at}?${query}` : at,
    headers: { ...(type ? { 'content-type': type } : {}), ...parts.headers },
    body: bytes,
  };
}

/** Text that is already percent-encoded stays unchanged. */
const encodeText = (text: string): string => (/^(%[0-9a-z]{0,2})+$/i.test(text) ? text : encodeURIComponent(text));

function encodeBody(body: RequestParts['body']): { type: string | undefined; bytes: Buffer | undefined } {
  switch (body?.kind) {
    case undefined:
      return { type: undefined, bytes: undefined };
    case 'json':
      return { type: 'application/json', bytes: Buffer.from(JSON.stringify(body.value)) };
    case 'raw':
      return body;
    case 'form':
      return { type: `multipart/form-data; boundary=${BOUNDARY}`, bytes: encodeForm(body) };
  }
}

function encodeForm({ fields, file }: FormBody): Buffer {
  const parts: Buffer[][] = Object.entries(fields).flatMap(([name, values]) =>
    values.map((value) => [Buffer.from(`Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`)]),
  );
  if (file) {
    const head = `Content-Disposition: form-data; name="${file.field}"; filename="${file.name}"\r\nContent-Type: ${file.type}\r\n\r\n`;
    parts.push([Buffer.from(head), file.bytes]);
  }
  return Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from(`--${BOUNDARY}\r\n`), ...part, Buffer.from('\r\n')]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
}

/** Copies `body` with `value` at `at`; undefined removes the value. */
export function replaceAt(body: unknown, at: readonly (string | number)[], value: unknown): unknown {
  const [key, ...rest] = at;
  if (key === undefined) return value;
  if (Array.isArray(body)) return body.map((item, index) => (index === key ? replaceAt(item, rest, value) : item));
  const fields = Object.entries(body ?? {}).filter(([name]) => name !== key);
  const replaced = replaceAt((body as Record<string, unknown> | undefined)?.[key], rest, value);
  return Object.fromEntries(replaced === undefined ? fields : [...fields, [key, replaced]]);
}

const TIMEOUT_MS = 30_000;

/** Sends the exact bytes. fetch would reject or correct some of these requests. */
export function sendRequest(base: string, { method, path, headers, body }: HttpRequest): Promise<HttpResponse> {
  const started = performance.now();
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const length = body ? { 'content-length': String(body.length) } : {};
    const outgoing = httpRequest(
      { hostname, port, method, path, headers: { ...length, ...headers }, timeout: TIMEOUT_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            ms: performance.now() - started,
          }),
        );
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no response within ${TIMEOUT_MS} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
