import { trace } from '@opentelemetry/api';
import { ConfigError, readEnv } from '../config';
import { withTimeout } from '../time';
import type { startSdk, TracedService } from './sdk';

let running: ReturnType<typeof startSdk> | undefined;

/**
 * Does nothing, and does not even load the SDK, unless OTEL_EXPORTER_OTLP_ENDPOINT is set. Instrumentation patches modules
 * while they are loaded, so this must run before anything else.
 */
function startTracing(): void {
  const endpoint = tracingEndpoint();
  if (!endpoint) return;
  const { startSdk: start } = require('./sdk') as typeof import('./sdk');
  running = start(endpoint);
}

/** Ignores invalid settings: `loadConfig` reports them later, all at once. */
function tracingEndpoint(): string | undefined {
  try {
    return readEnv().OTEL_EXPORTER_OTLP_ENDPOINT;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Returns a function that gives the trace id for a log line, or undefined if tracing is off. */
export const traceFields = (): (() => object) | undefined => {
  if (!running) return undefined;
  return () => {
    const context = trace.getActiveSpan()?.spanContext();
    return context ? { trace_id: context.traceId } : {};
  };
};

/** Sets the service name and namespace of all spans. Requests for the ignored paths are not traced. */
export const nameTraces = (service: TracedService, ignoredPaths: ReadonlySet<string> = new Set()): void =>
  running?.name(service, ignoredPaths);

const FLUSH_MS = 1000;

/** Sends the remaining spans, within a second. Never rejects. */
export const flushTraces = async (): Promise<void> => {
  if (running) await withTimeout(running.shutDown(), FLUSH_MS, () => undefined);
};

startTracing();
