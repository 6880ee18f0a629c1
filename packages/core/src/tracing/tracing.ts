import { trace } from '@opentelemetry/api';
import { ConfigError, readEnv } from '../config';
import { withTimeout } from '../time';
import type { startSdk } from './sdk';

let running: ReturnType<typeof startSdk> | undefined;

/**
 * Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set, and then nothing of the SDK is even loaded. Instrumentation changes modules
 * while they are loaded: this is the first thing that core does.
 */
function startTracing(): void {
  const endpoint = tracingEndpoint();
  if (!endpoint) return;
  const { startSdk: start } = require('./sdk') as typeof import('./sdk');
  running = start(endpoint);
}

/** What is wrong with the settings is said later, with all the rest. */
function tracingEndpoint(): string | undefined {
  try {
    return readEnv().OTEL_EXPORTER_OTLP_ENDPOINT;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** For each log line: the trace it belongs to, while there is one. */
export const traceFields = (): (() => object) | undefined => {
  if (!running) return undefined;
  return () => {
    const context = trace.getActiveSpan()?.spanContext();
    return context ? { trace_id: context.traceId } : {};
  };
};

/**
 * Spans are sent under this name.
 * @param ignoredPaths requests for these leave no span
 */
export const nameTraces = (service: string, ignoredPaths: ReadonlySet<string> = new Set()): void =>
  running?.name(service, ignoredPaths);

const FLUSH_MS = 1000;

/** Sends what has not been sent, within a second. Never rejects. */
export const flushTraces = async (): Promise<void> => {
  if (running) await withTimeout(running.shutDown(), FLUSH_MS, () => undefined);
};

startTracing();
