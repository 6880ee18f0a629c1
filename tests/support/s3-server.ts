import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export const S3_KEYS = { accessKeyId: 'test-key-id', secretAccessKey: 'test-secret-key' };

interface StoredObject {
  bytes: Buffer;
  contentType: string;
  modified: Date;
}

export interface S3Server {
  endpoint: string;
  bucket: string;
  objects: Map<string, StoredObject>;
  /** Called for each PUT after the object is stored. Its result replaces the response status 200. */
  onPut: (() => number | 'hang up' | undefined) | undefined;
  close(): Promise<void>;
}

/**
 * The part of the S3 protocol that the storage uses: PUT, GET (ranges, conditions), HEAD, DELETE and ListObjectsV2 in pages
 * of two. Path-style; every request must be signed with Signature Version 4 and the right key.
 */
export async function startS3Server(bucket = 'uploads'): Promise<S3Server> {
  const objects = new Map<string, StoredObject>();
  const server = createServer((req, res) => void handle(req, res));
  const s3: S3Server = {
    endpoint: '',
    bucket,
    objects,
    onPut: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://s3');
    const [, requestedBucket, ...keyParts] = url.pathname.split('/').map(decodeURIComponent);
    const key = keyParts.join('/');
    const body = await buffer(req);
    if (!isSigned(req, body)) return refuse(res, 403, 'SignatureDoesNotMatch');
    if (requestedBucket !== bucket) return refuse(res, 404, 'NoSuchBucket');
    if (!key) return list(res, url);
    if (req.method === 'PUT') {
      objects.set(key, { bytes: body, contentType: req.headers['content-type'] ?? '', modified: new Date() });
      const failure = s3.onPut?.();
      if (failure === 'hang up') {
        req.destroy();
        return undefined;
      }
      if (failure) return refuse(res, failure, 'InternalError');
      res.writeHead(200, { ETag: etagOf(body) }).end();
      return undefined;
    }
    if (req.method === 'DELETE') {
      objects.delete(key);
      res.writeHead(204).end();
      return undefined;
    }
    const object = objects.get(key);
    if (!object) return refuse(res, 404, 'NoSuchKey', req.method === 'HEAD');
    return sendObject(req, res, object);
  }

  function list(res: ServerResponse, url: URL): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
    const start = Number(url.searchParams.get('continuation-token') ?? 0);
    const page = names.slice(start, start + 2);
    const more = start + 2 < names.length;
    const contents = page.map((name) => {
      const { modified, bytes } = objects.get(name) ?? { modified: new Date(), bytes: [] };
      const facts = `<LastModified>${modified.toISOString()}</LastModified><Size>${bytes.length}</Size>`;
      return `<Contents><Key>${name}</Key>${facts}</Contents>`;
    });
    const next = more ? `<NextContinuationToken>${start + 2}</NextContinuationToken>` : '';
    res.writeHead(200, { 'Content-Type': 'application/xml' });
    res.end(`<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  s3.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return s3;
}

const etagOf = (bytes: Buffer): string => `"${createHash('md5').update(bytes).digest('hex')}"`;

function sendObject(req: IncomingMessage, res: ServerResponse, { bytes, contentType, modified }: StoredObject): void {
  const etag = etagOf(bytes);
  const headers = {
    ETag: etag,
    'Last-Modified': modified.toUTCString(),
    'Content-Type': contentType,
    'Accept-Ranges': 'bytes',
  };
  const { 'if-none-match': noneMatch, 'if-match': match, 'if-modified-since': since } = req.headers;
  if (match && match !== etag) {
    refuse(res, 412, 'PreconditionFailed');
    return;
  }
  const seconds = Math.floor(modified.getTime() / 1000) * 1000;
  if (noneMatch === etag || (since && Date.parse(since) >= seconds)) {
    res.writeHead(304, headers).end();
    return;
  }
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(req.headers.range ?? '') ?? [];
  if (from || to) {
    const start = from ? Number(from) : Math.max(0, bytes.length - Number(to));
    const end = from && to ? Math.min(Number(to), bytes.length - 1) : bytes.length - 1;
    if (start >= bytes.length) {
      res.setHeader('Content-Range', `bytes */${bytes.length}`);
      refuse(res, 416, 'InvalidRange');
      return;
    }
    res.writeHead(206, {
      ...headers,
      'Content-Range': `bytes ${start}-${end}/${bytes.length}`,
      'Content-Length': end - start + 1,
    });
    res.end(req.method === 'HEAD' ? undefined : bytes.subarray(start, end + 1));
    return;
  }
  res.writeHead(200, { ...headers, 'Content-Length': bytes.length });
  res.end(req.method === 'HEAD' ? undefined : bytes);
}

function refuse(res: ServerResponse, status: number, code: string, withoutBody = false): void {
  res.writeHead(status, { 'Content-Type': 'application/xml' });
  res.end(withoutBody ? undefined : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}

/** AWS Signature Version 4, recomputed from the received request. */
function isSigned(req: IncomingMessage, body: Buffer): boolean {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    req.headers.authorization ?? '',
  );
  const [, credential = '', signedHeaders = '', signature = ''] = parts ?? [];
  const [keyId, day = '', region = '', service = '', terminator = ''] = credential.split('/');
  if (keyId !== S3_KEYS.accessKeyId) return false;
  const bodyHash = String(req.headers['x-amz-content-sha256']);
  if (bodyHash !== 'UNSIGNED-PAYLOAD' && bodyHash !== sha256(body)) return false;
  const url = new URL(req.url ?? '/', 'http://s3');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const headers = signedHeaders.split(';').map((name) => `${name}:${String(req.headers[name] ?? '').trim()}\n`);
  const canonical = [req.method, url.pathname, query, headers.join(''), signedHeaders, bodyHash].join('\n');
  const scope = [day, region, service, terminator].join('/');
  const toSign = ['AWS4-HMAC-SHA256', req.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const signingKey = [day, region, service, terminator].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${S3_KEYS.secretAccessKey}`),
  );
  return createHmac('sha256', signingKey).update(toSign).digest('hex') === signature;
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
