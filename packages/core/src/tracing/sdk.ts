import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { ExpressInstrumentation, ExpressLayerType } from '@opentelemetry/instrumentation-express';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis';
import { MySQL2Instrumentation } from '@opentelemetry/instrumentation-mysql2';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

export interface TracedService {
  name: string;
  namespace?: string;
}

/**
 * Starts the OpenTelemetry SDK with instrumentation for Express, MySQL, Redis, and incoming and outgoing HTTP. Continues the
 * trace of a `traceparent` header from a client or a proxy (W3C Trace Context). The SDK's own settings (OTEL_TRACES_SAMPLER
 * and so on) apply.
 * @param endpoint base URL of an OTLP collector over HTTP: spans are sent to /v1/traces below it
 */
export function startSdk(endpoint: string) {
  let name = (_service: TracedService): void => undefined;
  let untraced: ReadonlySet<string> = new Set();
  // The SDK needs the name before the service is known. It sends nothing until the promise resolves.
  const named = new Promise<TracedService>((resolve) => {
    name = resolve;
  });
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 3000 });
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      'service.name': named.then((service) => service.name),
      'service.namespace': named.then((service) => service.namespace),
    }),
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
      // Statements contain placeholders, never values.
      new MySQL2Instrumentation(),
      new IORedisInstrumentation({ dbStatementSerializer: (command) => command }),
    ],
  });
  return {
    name(service: TracedService, ignoredPaths: ReadonlySet<string>): void {
      untraced = ignoredPaths;
      name(service);
    },
    shutDown: (): Promise<void> => provider.shutdown().catch(() => undefined),
  };
}
