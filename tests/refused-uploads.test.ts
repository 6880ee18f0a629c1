import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type ServiceServer, serviceServer } from '@shop/test-servers';
import { aUser, eventually, testEnv } from '@shop/testing';
import { type Gateway, startGateway } from './support/nginx-gateway';

/** A response to an upload that is refused before its body has been read must reach the client, which is still sending. */

const UPLOAD = '/api/v1/files/upload';
const KB = 1024;
const SIZES = [200 * KB, 700 * KB, 3000 * KB, 5000 * KB];
const MULTIPART = 'multipart/form-data; boundary=b';

const started: { stop(): Promise<unknown> }[] = [];
afterAll(() => Promise.all(started.map((server) => server.stop())));

async function startFileService(settings: Record<string, string> = {}): Promise<ServiceServer> {
  const service = serviceServer({
    service: 'file',
    index: 0,
    port: await freePort(),
    env: testEnv(settings) as Record<string, string>,
    logFile: path.join(process.env.SHOP_TEST_DIR ?? '', `file-${randomUUID()}.log`),
    dieWithParent: true,
  });
  await service.start();
  started.push(service);
  return service;
}

async function gatewayTo(service: ServiceServer): Promise<Gateway> {
  const gateway = await startGateway({ file: [`127.0.0.1:${service.port}`] });
  started.push(gateway);
  return gateway;
}

let service: ServiceServer;
let limited: ServiceServer;
let urls: Record<'direct' | 'gateway' | 'limited' | 'limited behind the gateway', string>;
let token: string;
beforeAll(async () => {
  [service, limited] = await Promise.all([
    startFileService(),
    startFileService({ RATE_LIMIT_PER_SECOND: '1', RATE_LIMIT_BURST: '1' }),
  ]);
  const [gateway, overLimited] = await Promise.all([gatewayTo(service), gatewayTo(limited)]);
  urls = {
    direct: service.url,
    gateway: `http://127.0.0.1:${gateway.port}`,
    limited: limited.url,
    'limited behind the gateway': `http://127.0.0.1:${overLimited.port}`,
  };
  ({ token } = await aUser());
});

interface Refusal {
  status: number;
  path?: string;
  type?: string;
  authorization?: 'valid' | 'bad';
  to?: keyof typeof urls;
}

const REFUSALS: [title: string, refusal: Refusal][] = [
  ['a bad token', { status: 401, authorization: 'bad' }],
  ['no token', { status: 401 }],
  ['an unsupported media type', { status: 415, type: 'application/octet-stream', authorization: 'valid' }],
  ['a route of the service that does not exist', { status: 404, path: '/api/v1/files/no/route' }],
  ['an unknown route', { status: 404, path: '/nothing' }],
  ['a method that the path does not have', { status: 405, path: '/api/v1/files' }],
  [
    'JSON that is too large',
    { status: 413, path: '/api/v1/files/x', type: 'application/json', authorization: 'valid' },
  ],
];

function headersOf({ type = MULTIPART, authorization }: Refusal): Record<string, string> {
  const value = { valid: `Bearer ${token}`, bad: 'Bearer a.b.c' };
  return { 'content-type': type, ...(authorization ? { authorization: value[authorization] } : {}) };
}

const methodOf = ({ path: to }: Refusal): string => (to === '/api/v1/files/x' ? 'DELETE' : 'POST');

/** The status, or the error if there is no response. */
async function send(base: string, refusal: Refusal, size: number, more: Record<string, string>): Promise<string> {
  try {
    const response = await fetch(base + (refusal.path ?? UPLOAD), {
      method: methodOf(refusal),
      headers: { ...headersOf(refusal), ...more },
      body: Buffer.alloc(size, 'x'),
    });
    await response.text();
    return String(response.status);
  } catch (error) {
    return error instanceof Error ? String(error.cause ?? error) : String(error);
  }
}

async function outcomes(base: string, refusal: Refusal, more: Record<string, string>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let round = 0; round < 6; round += 1) {
    const all = await Promise.all(SIZES.map((size) => send(base, refusal, size, more)));
    for (const outcome of all) counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

describe.each(['direct', 'gateway'] as const)('%s', (to) => {
  describe.each([
    ['with keep-alive', {}],
    ['without keep-alive', { connection: 'close' }],
  ])('%s', (_, more: Record<string, string>) => {
    it.each(REFUSALS)('%s: no response is lost', async (_title, refusal) => {
      expect(await outcomes(urls[to], refusal, more)).toEqual({ [refusal.status]: 6 * SIZES.length });
    });

    it('too many requests: no response is lost', async () => {
      const base = to === 'direct' ? urls.limited : urls['limited behind the gateway'];
      const counts = await outcomes(base, { status: 429 }, more);
      // Requests within the rate limit get 401.
      expect(Object.keys(counts).sort()).toEqual(['401', '429']);
    });
  });

  /** Sends the head, then the body in pieces, and reads only at the end, as simple clients do. */
  async function sendThenRead(head: string[], body: Buffer[]): Promise<string> {
    const socket = connect(Number(new URL(urls[to]).port), '127.0.0.1');
    let received = '';
    socket.pause();
    socket.on('error', (error) => {
      received += String(error);
    });
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.write(`${['POST /api/v1/files/upload HTTP/1.1', 'Host: x', ...head].join('\r\n')}\r\n\r\n`);
    for (const part of body) {
      if (!socket.write(part) && !socket.destroyed) await Promise.race([once(socket, 'drain'), closed]);
      await sleep(1);
    }
    socket.resume();
    await closed;
    return received;
  }
  const bits = (count: number, make: (bit: Buffer) => Buffer) =>
    Array.from({ length: count }, () => make(Buffer.alloc(64 * KB, 'x')));

  it('a client that reads only after it has sent everything gets the response', async () => {
    const head = [`Content-Type: ${MULTIPART}`, `Content-Length: ${48 * 64 * KB}`, 'Connection: close'];
    expect(
      await sendThenRead(
        head,
        bits(48, (bit) => bit),
      ),
    ).toMatch(/^HTTP\/1\.1 401 [\s\S]*"unauthenticated"[^}]*\}\s*$/);
  });

  it('also with Expect: 100-continue', async () => {
    const length = `Content-Length: ${48 * 64 * KB}`;
    const head = [`Content-Type: ${MULTIPART}`, length, 'Expect: 100-continue', 'Connection: close'];
    expect(
      await sendThenRead(
        head,
        bits(48, (bit) => bit),
      ),
    ).toMatch(/^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 401 [\s\S]*"unauthenticated"[^}]*\}\s*$/);
  });

  it('also with chunked encoding', async () => {
    const head = [`Content-Type: ${MULTIPART}`, 'Transfer-Encoding: chunked', 'Connection: close'];
    const chunk = (bit: Buffer) =>
      Buffer.concat([Buffer.from(`${bit.length.toString(16)}\r\n`), bit, Buffer.from('\r\n')]);
    const body = [...bits(48, chunk), Buffer.from('0\r\n\r\n')];
    expect(await sendThenRead(head, body)).toMatch(/^HTTP\/1\.1 401 [\s\S]*"unauthenticated"[^}]*\}\s*$/);
  });

  it.each([
    ['a service', UPLOAD, 401],
    ['nobody', '/nothing', 404],
  ])(
    'after a refusal by %s the connection stays open, or the response announces that it closes',
    async (_, target, status) => {
      const socket = connect(Number(new URL(urls[to]).port), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString();
      });
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      const length = 48 * 64 * KB;
      const head = [`POST ${target} HTTP/1.1`, 'Host: x', `Content-Type: ${MULTIPART}`, `Content-Length: ${length}`];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      await eventually('the refusal', () => /\r\n\r\n\{.*\}\s*$/.test(received));
      expect(received).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      const refusal = received;
      if (!/^Connection: close\r$/im.test(refusal)) {
        socket.write(Buffer.alloc(length, 'x'));
        socket.write(`GET /uploads/none.png HTTP/1.1\r\nHost: x\r\n\r\n`);
        await eventually('the next response', () => received.slice(refusal.length).startsWith('HTTP/1.1 404 '));
      }
      socket.destroy();
    },
  );
});
