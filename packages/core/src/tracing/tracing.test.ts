import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { type ExampleProcess, eventually, startExampleProcess } from '@shop/testing';
import { z } from 'zod';

const attribute = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: z.array(attribute),
});
const sent = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attribute) }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(span) })),
    }),
  ),
});
type Span = z.infer<typeof span> & { by: string; service: unknown };

/** An OTLP collector over HTTP that keeps what it gets. */
async function startCollector(): Promise<{ url: string; spans: Span[]; server: Server }> {
  const spans: Span[] = [];
  const server = createServer(async (req, res) => {
    if (req.url === '/v1/traces') {
      for (const { resource, scopeSpans } of sent.parse(await json(req)).resourceSpans) {
        const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue;
        for (const { scope, spans: ours } of scopeSpans) {
          spans.push(...ours.map((one) => ({ ...one, by: scope.name.replace(/.*instrumentation-/, ''), service })));
        }
      }
    }
    res.end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, server };
}

/** Has a process say when it ends which modules of OpenTelemetry it has loaded; all but the API are the SDK's. */
function loadWitness(): { env: { NODE_OPTIONS: string }; sdk(): string[] } {
  const file = path.join(process.env.SHOP_TEST_DIR ?? '/tmp', `loaded-${randomUUID()}`);
  const tell = `require('node:fs').writeFileSync('${file}', Object.keys(require.cache).join())`;
  writeFileSync(`${file}.cjs`, `process.on('exit', () => ${tell});`);
  return {
    env: { NODE_OPTIONS: `--require "${file}.cjs"` },
    sdk: () => {
      const loaded = readFileSync(file, 'utf8').match(/@opentelemetry\/[\w-]+/g) ?? [];
      return [...new Set(loaded)].filter((name) => name !== '@opentelemetry/api').sort();
    },
  };
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let service: ExampleProcess | undefined;
let collector: Awaited<ReturnType<typeof startCollector>>;
beforeAll(async () => {
  collector = await startCollector();
});
afterEach(() => service?.kill());
afterAll(() => {
  collector.server.close();
  collector.server.closeAllConnections();
});

const ready = async (process: ExampleProcess) => {
  const ask = async (where: string) => fetch(process.url + where).catch(() => undefined);
  await eventually('the service', async () => (await ask('/ready'))?.status === 200);
  await eventually('Redis', async () => (await (await ask('/health'))?.text())?.includes('"redis":{"status":"up"'));
};
const linesOf = (process: ExampleProcess, requestId: string) =>
  process.lines().filter(({ request_id }) => request_id === requestId);

it('a request is one trace over Express, MySQL and Redis, under the trace of its caller and of its log line', async () => {
  const witness = loadWitness();
  const traced = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, ...witness.env });
  service = traced;
  await ready(traced);
  await fetch(`${traced.url}/users`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-01`, 'x-request-id': 'traced-1' },
  });
  await eventually('its log line', () => linesOf(traced, 'traced-1').length > 0);
  expect(linesOf(traced, 'traced-1')).toEqual([expect.objectContaining({ trace_id: TRACE })]);

  // What is still to be sent leaves before the process does.
  traced.signal('SIGTERM');
  expect(await traced.exited).toEqual({ code: 0, signal: null });
  expect(witness.sdk()).toContain('@opentelemetry/sdk-trace-node');
  const trace = collector.spans.filter(({ traceId }) => traceId === TRACE);
  expect(new Set(trace.map(({ by }) => by))).toEqual(new Set(['http', 'express', 'mysql2', 'ioredis']));
  expect(new Set(trace.map((one) => one.service))).toEqual(new Set(['example']));
  const root = trace.find(({ parentSpanId }) => parentSpanId === PARENT);
  expect(root).toMatchObject({ by: 'http', name: 'GET /users' });
  expect(JSON.stringify(root?.attributes)).toContain('traced-1');
  const known = new Set([PARENT, ...trace.map(({ spanId }) => spanId)]);
  expect(trace.filter(({ parentSpanId }) => !known.has(parentSpanId ?? ''))).toEqual([]);
  // Probes are not worth a trace.
  expect(collector.spans.filter(({ name }) => name.includes('/ready'))).toEqual([]);
});

it('without an endpoint nothing is traced, and nothing of the SDK is loaded', async () => {
  const witness = loadWitness();
  const plain = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined, ...witness.env });
  service = plain;
  await ready(plain);
  await fetch(`${plain.url}/users`, { headers: { 'x-request-id': 'plain-1' } });
  await eventually('its log line', () => linesOf(plain, 'plain-1').length > 0);
  expect(linesOf(plain, 'plain-1')[0]).not.toHaveProperty('trace_id');
  plain.signal('SIGTERM');
  expect(await plain.exited).toEqual({ code: 0, signal: null });
  expect(witness.sdk()).toEqual([]);
});

it('a collector that is away breaks no request and does not hold up the shutdown', async () => {
  const lonely = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  service = lonely;
  await ready(lonely);
  expect((await fetch(`${lonely.url}/users`)).status).toBe(204);
  lonely.signal('SIGTERM');
  expect(await lonely.exited).toEqual({ code: 0, signal: null });
});
