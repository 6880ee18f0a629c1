import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort, portAnswers, repoRoot, requireProgram, temporaryFolder } from '@shop/test-servers';
import { eventually } from '@shop/testing';

const original = readFileSync(path.join(repoRoot, 'nginx/several-origins.conf'), 'utf8');

const run = promisify(execFile);

let folder: string;
let tls: { key: string; cert: string };
const ended: (() => void)[] = [];

beforeAll(async () => {
  folder = await temporaryFolder('several-origins-');
  const files = ['-keyout', `${folder}/privkey.pem`, '-out', `${folder}/fullchain.pem`];
  const name = ['-subj', '/CN=api.shop.example', '-addext', 'subjectAltName=DNS:api.shop.example'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...name, ...files]);
  const read = (file: string) => readFileSync(path.join(folder, file), 'utf8');
  tls = { key: read('privkey.pem'), cert: read('fullchain.pem') };
});

afterEach(() => {
  for (const end of ended.splice(0)) end();
});

interface Origin {
  port: number;
  requests: { method: string | undefined; headers: IncomingHttpHeaders }[];
}

/** Responds with this status, or closes the connection after it has received the request. */
async function startOrigin(behaviour: number | 'dies'): Promise<Origin> {
  const requests: Origin['requests'] = [];
  const server = https.createServer(tls, (req, res) => {
    requests.push({ method: req.method, headers: req.headers });
    if (behaviour === 'dies') req.socket.destroy();
    else res.writeHead(behaviour).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ended.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

/** nginx with the file of this repository. Only names, ports and paths are different. */
async function startEdge(...origins: number[]): Promise<number> {
  const [port, plain] = [await freePort(), await freePort()];
  const text = original
    .replace(
      /origin-(\d)\.shop\.example:443/g,
      (_, number) => `127.0.0.1:${origins[Number(number) - 1] ?? origins.at(-1)}`,
    )
    .replace('listen 80;', `listen 127.0.0.1:${plain};`)
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`)
    .replace('/etc/ssl/certs/ca-certificates.crt', `${folder}/fullchain.pem`)
    .replaceAll('/etc/nginx/tls', folder)
    .replace('/dev/stdout', `${folder}/access.log`);
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, `daemon off;\npid ${folder}/nginx.pid;\n${text}`);
  const args = ['-e', 'stderr', '-p', folder, '-c', file];
  await run(requireProgram('nginx'), ['-t', '-q', ...args]);
  const nginx: ChildProcess = spawn(requireProgram('nginx'), args, { stdio: 'ignore' });
  ended.push(() => nginx.kill());
  await eventually('nginx listens', () => portAnswers(port));
  return port;
}

async function send(port: number, method: string): Promise<number | undefined> {
  const headers = { 'X-Forwarded-For': '192.0.2.66', 'Idempotency-Key': 'key', Host: 'api.shop.example' };
  const request = https.request({
    port,
    host: '127.0.0.1',
    method,
    headers,
    agent: false,
    ca: tls.cert,
    servername: 'api.shop.example',
  });
  request.end();
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
}

test('requests go to the first origin, with the address of the client and the name of the shop', async () => {
  const [first, second] = [await startOrigin(200), await startOrigin(200)];
  const edge = await startEdge(first.port, second.port);
  expect(await send(edge, 'GET')).toBe(200);
  expect(await send(edge, 'POST')).toBe(200);
  expect(first.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
  expect(first.requests[0]?.headers).toMatchObject({ host: 'api.shop.example', 'x-forwarded-for': '127.0.0.1' });
  expect(second.requests).toEqual([]);
});

test('an origin that does not respond at all is replaced', async () => {
  const second = await startOrigin(200);
  const edge = await startEdge(await freePort(), second.port);
  expect(await send(edge, 'GET')).toBe(200);
  expect(await send(edge, 'POST')).toBe(200);
  expect(second.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
});

test('a POST that an origin has received is never sent to another one', async () => {
  const [first, second] = [await startOrigin('dies'), await startOrigin(200)];
  const edge = await startEdge(first.port, second.port);
  expect(await send(edge, 'POST')).toBe(502);
  expect(first.requests).toHaveLength(1);
  expect(second.requests).toEqual([]);
  expect(await send(edge, 'GET')).toBe(200);
});

test('an error of an origin reaches the client: another origin has another database', async () => {
  const [first, second] = [await startOrigin(503), await startOrigin(200)];
  const edge = await startEdge(first.port, second.port);
  expect(await send(edge, 'GET')).toBe(503);
  expect(second.requests).toEqual([]);
});
