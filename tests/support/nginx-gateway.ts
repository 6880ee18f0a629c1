import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { limitVariables, type NginxOptions, renderNginxConfig, serviceNames } from '@shop/test-servers';

interface ReceivedRequest {
  service: string;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  peer: string;
  bytes: number;
}

export interface Echo {
  port: number;
  address: string;
  seen: ReceivedRequest[];
  close(): Promise<void>;
}

/** The headers that helmet and CORS add in the services. */
const serviceHeaders = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'X-Echo',
  'content-security-policy': "default-src 'self'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
};

/**
 * A fake service that echoes the request. Paths ending in `/big` get a long response, `/links` the longest `Link` header,
 * `/refused` an error of the service.
 * While `dropNext()` returns true, it reads the whole request and closes the connection without a response.
 */
export async function startEcho(service: string, port = 0, dropNext: () => boolean = () => false): Promise<Echo> {
  const seen: ReceivedRequest[] = [];
  const server = createServer(async (req, res) => {
    let bytes = 0;
    try {
      for await (const chunk of req) bytes += (chunk as Buffer).length;
    } catch {
      return; // The gateway aborted the request.
    }
    const { method = '', url = '', headers } = req;
    const entry = { service, method, url, headers, peer: req.socket.remoteAddress ?? '', bytes };
    seen.push(entry);
    if (dropNext()) {
      req.socket.destroy();
      return;
    }
    const id = headers['x-request-id'] ?? '';
    if (url.endsWith('/refused')) {
      res.writeHead(503, { ...serviceHeaders, 'content-type': 'application/problem+json', 'retry-after': '7' });
      res.end('{"code":"database_unavailable"}');
      return;
    }
    const text = JSON.stringify({ ...entry, filler: url.endsWith('/big') ? 'x'.repeat(5000) : '' });
    const about = {
      'content-type': 'application/json',
      'content-length': text.length,
      'x-request-id': id,
      etag: '"echo"',
    };
    // As long as in packages/core/src/http/list-endpoint.ts.
    const links = url.endsWith('/links') ? { link: 'x'.repeat(12_000) } : {};
    res.writeHead(200, { ...serviceHeaders, ...about, ...links }).end(text);
  });
  await listen(server, port);
  const { port: actual } = server.address() as AddressInfo;
  return { port: actual, address: `127.0.0.1:${actual}`, seen, close: () => closeServer(server) };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Polls until `probe` returns something other than undefined. */
export async function until<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 120_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`gave up waiting: ${what}`);
    await sleep(20);
  }
}

async function accepts(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

export interface Gateway {
  port: number;
  runDir: string;
  errors(): string;
  stop(): Promise<void>;
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'gateway-'));

/** Runs nginx on a configuration file until `stop()`, which removes `runDir` too. */
export async function startNginx(configFile: string, runDir: string, port: number): Promise<Gateway> {
  const path = `${process.env.PATH}:/usr/local/sbin:/usr/sbin`;
  const arguments_ = ['-c', configFile, '-e', join(runDir, 'start.log'), '-g', 'daemon off;'];
  const child: ChildProcess = spawn('nginx', arguments_, { env: { PATH: path }, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await exited;
    await rm(runDir, { recursive: true, force: true });
  };
  try {
    await until('nginx accepts connections', async () => {
      if (child.exitCode !== null) throw new Error(`nginx ended: ${errors}`);
      return accepts(port);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, runDir, errors: () => errors, stop };
}

/** Fills in templates of nginx/ as the containers do, and writes a main file that includes them. @returns its path */
export async function fillTemplates(
  runDir: string,
  templates: string[],
  environment: Record<string, string>,
): Promise<string> {
  const nginxDir = join(__dirname, '../../nginx');
  const limits = limitVariables(await readFile(join(nginxDir, 'limits.sh'), 'utf8'), environment);
  const values = { ...environment, ...Object.fromEntries(limits) };
  await mkdir(join(runDir, 'conf.d'));
  for (const template of templates) {
    const text = await readFile(join(nginxDir, template), 'utf8');
    const filled = text.replace(/\$\{(\w+)\}/g, (match, name: string) => values[name] ?? match);
    await writeFile(join(runDir, 'conf.d', basename(template, '.template')), filled);
  }
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${runDir}/${name};`,
  );
  const http = `http { default_type text/plain; access_log off; keepalive_timeout 65; ${paths.join(' ')} include conf.d/*.conf; }`;
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const main = join(runDir, 'nginx.conf');
  await writeFile(main, `${user} pid ${runDir}/pid; error_log stderr; events {} ${http}`);
  return main;
}

/** Services that a test does not mention get a port that nothing listens on. */
export async function startGateway(
  upstreams: Partial<NginxOptions['upstreams']>,
  options: Partial<NginxOptions> = {},
): Promise<Gateway> {
  const nobody = [`127.0.0.1:${await freePort()}`];
  const none = Object.fromEntries(serviceNames.map((name) => [name, nobody])) as NginxOptions['upstreams'];
  const [runDir, port] = [await temporaryFolder(), await freePort()];
  const configFile = await renderNginxConfig({
    runDir,
    port,
    listenAddress: '127.0.0.1',
    upstreams: { ...none, ...upstreams },
    limits: { RATE_LIMIT_PER_SECOND: '1000000', RATE_LIMIT_BURST: '1000000' },
    ...options,
  });
  return startNginx(configFile, runDir, port);
}

export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** Header names as sent, in lower case: shows duplicates. */
  names: string[];
  text: string;
  json: Record<string, unknown>;
}

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** The loopback address to send from. */
  from?: string;
}

/** One request on its own connection. The path is sent unchanged. */
export function sendRequest(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, from }: RequestOptions = {},
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, path, method, agent: false, ...(from ? { localAddress: from } : {}) };
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const req = request({ ...target, headers: { ...length, ...headers } }, async (res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of res) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const names = res.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
      const isJson = /json/.test(res.headers['content-type'] ?? '') && !res.headers['content-encoding'] && text !== '';
      resolve({ status: res.statusCode ?? 0, headers: res.headers, names, text, json: isJson ? JSON.parse(text) : {} });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** Sends bytes unchanged. @returns everything that the server sends */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

export async function accessLog(gateway: Gateway): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(gateway.runDir, 'logs/access.log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
