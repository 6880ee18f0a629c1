import type { Metrics } from '../metrics';

/** Metrics of every request, whether Express handles it or Node's parser rejects it. */
export const requestMetrics = (metrics: Metrics) => ({
  requests: metrics.counter({
    name: 'http_requests_total',
    help: 'HTTP requests by method, declared route and status (499: the client disconnected first)',
    labelNames: ['method', 'endpoint', 'status'],
  }),
  // No status label: a histogram has 15 series per label set, and the duration depends mainly on the endpoint.
  seconds: metrics.histogram(
    'http_request_duration_seconds',
    'Time from receiving a request to its response being sent',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ['method', 'endpoint'],
  ),
});

export const uploadMetrics = (metrics: Metrics) => ({
  uploads: metrics.counter(
    {
      name: 'uploads_total',
      help: 'Uploaded files by outcome: stored, refused (4xx) or failed (5xx)',
      labelNames: ['outcome'],
    },
    [{ outcome: 'stored' }, { outcome: 'refused' }, { outcome: 'failed' }],
  ),
  bytes: metrics.counter({ name: 'upload_bytes_total', help: 'Total size of stored uploads in bytes' }),
});
