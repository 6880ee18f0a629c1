import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import {
  type ExampleProcess,
  eventually,
  type LoadRecorder,
  loadRecorder,
  packagesOf,
  startExampleProcess,
} from '@shop/testing';
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
type Span = z.infer<typeof span> & { by: string; service: string };

/** An OTLP collector over HTTP that stores the spans it receives. */
async function startCollector(): Promise<{ url: string; spans: Span[]; server: Server }> {
  const spans: Span[] = [];
  const server = createServer(async (req, res) => {
    if (req.url === '/v1/traces') {
      for (const { resource, scopeSpans } of sent.parse(await json(req)).resourceSpans) {
        const textOf = (name: string) => resource.attributes.find(({ key }) => key === name)?.value.stringValue;
        const service = `${textOf('service.namespace')}/${textOf('service.name')}`;
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

/** All modules of OpenTelemetry except the API belong to the SDK. */
const sdkIn = (recorder: LoadRecorder) =>
  packagesOf(recorder.files()).filter((name) => /^@opentelemetry\/(?!api$)/.test(name));

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
  const get = async (where: string) => fetch(process.url + where).catch(() => undefined);
  await eventually('the service', async () => (await get('/ready'))?.status === 200);
  await eventually('Redis', async () => (await (await get('/health'))?.text())?.includes('"redis":{"status":"up"'));
};
const linesOf = (process: ExampleProcess, requestId: string) =>
  process.lines().filter(({ request_id }) => request_id === requestId);

it('a request is one trace across Express, MySQL and Redis, with the trace id of its caller and its log line', async () => {
  const recorder = loadRecorder();
  const traced = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, ...recorder.env });
  service = traced;
  await ready(traced);
  await fetch(`${traced.url}/users`, {
    headers: { traceparent: `00-${TRACE}-${PARENT}-01`, 'x-request-id': 'traced-1' },
  });
  await eventually('its log line', () => linesOf(traced, 'traced-1').length > 0);
  expect(linesOf(traced, 'traced-1')).toEqual([expect.objectContaining({ trace_id: TRACE })]);

  // The remaining spans are sent before the process exits.
  traced.signal('SIGTERM');
  expect(await traced.exited).toEqual({ code: 0, signal: null });
  expect(sdkIn(recorder)).toContain('@opentelemetry/sdk-trace-node');
  const trace = collector.spans.filter(({ traceId }) => traceId === TRACE);
  expect(new Set(trace.map(({ by }) => by))).toEqual(new Set(['http', 'express', 'mysql2', 'ioredis']));
  expect(new Set(trace.map((one) => one.service))).toEqual(new Set(['examples/example']));
  const root = trace.find(({ parentSpanId }) => parentSpanId === PARENT);
  expect(root).toMatchObject({ by: 'http', name: 'GET /users' });
  expect(JSON.stringify(root?.attributes)).toContain('traced-1');
  const known = new Set([PARENT, ...trace.map(({ spanId }) => spanId)]);
  expect(trace.filter(({ parentSpanId }) => !known.has(parentSpanId ?? ''))).toEqual([]);
  // Probes are not traced.
  expect(collector.spans.filter(({ name }) => name.includes('/ready'))).toEqual([]);
});

it('without an endpoint nothing is traced, and the SDK is not loaded', async () => {
  const recorder = loadRecorder();
  const plain = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: undefined, ...recorder.env });
  service = plain;
  await ready(plain);
  await fetch(`${plain.url}/users`, { headers: { 'x-request-id': 'plain-1' } });
  await eventually('its log line', () => linesOf(plain, 'plain-1').length > 0);
  expect(linesOf(plain, 'plain-1')[0]).not.toHaveProperty('trace_id');
  plain.signal('SIGTERM');
  expect(await plain.exited).toEqual({ code: 0, signal: null });
  expect(sdkIn(recorder)).toEqual([]);
});

it('an unreachable collector breaks no request and does not delay the shutdown', async () => {
  const lonely = await startExampleProcess({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  service = lonely;
  await ready(lonely);
  expect((await fetch(`${lonely.url}/users`)).status).toBe(204);
  lonely.signal('SIGTERM');
  expect(await lonely.exited).toEqual({ code: 0, signal: null });
});
