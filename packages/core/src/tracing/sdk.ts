import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

/**
 * The OpenTelemetry SDK with what a request passes: Express, MySQL, Redis, and HTTP on both sides. The `traceparent` of a
 * client or of a proxy before Nginx is kept (W3C Trace Context). Its own settings (OTEL_TRACES_SAMPLER and so on) count.
 * @param endpoint base address of an OTLP collector over HTTP: spans go to /v1/traces below it
 */
export function startSdk(endpoint: string) {
  let name = (_service: string): void => undefined;
  let untraced: ReadonlySet<string> = new Set();
  // The SDK wants it before anyone knows which service this is; nothing is sent until it is there.
  const serviceName = new Promise<string>((resolve) => {
    name = resolve;
  });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 3000 });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.namespace': 'shop' }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  provider.register();
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: ({ url = '' }) => untraced.has(url),
        headersToSpanAttributes: { server: { requestHeaders: ['x-request-id'] } },
      }),
      new ExpressInstrumentation({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE] }),
      // Statements hold placeholders, never values.
      new MySQL2Instrumentation(),
      new IORedisInstrumentation({ dbStatementSerializer: (command) => command }),
    ],
  });
  return {
    name(service: string, ignoredPaths: ReadonlySet<string>): void {
      untraced = ignoredPaths;
      name(service);
    },
    shutDown: (): Promise<void> => provider.shutdown().catch(() => undefined),
  };
}
