import type { Metrics } from '../metrics';

/** What every request counts in, whether Express sees it or Node's parser refuses it. */
export const requestMetrics = (metrics: Metrics) => ({
  requests: metrics.counter({
    name: 'http_requests_total',
    help: 'HTTP requests answered, by declared route',
    labelNames: ['method', 'endpoint', 'status'],
  }),
  // Without the status: a histogram is 15 series for each set of labels, and times come from what is asked for.
  seconds: metrics.histogram(
    'http_request_duration_seconds',
    'Time from the first byte read to the answer sent',
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ['method', 'endpoint'],
  ),
});

export const uploadMetrics = (metrics: Metrics) => ({
  uploads: metrics.counter(
    {
      name: 'uploads_total',
      help: 'Files sent to us by what became of them: stored, refused (the client heard why) or failed',
      labelNames: ['outcome'],
    },
    [{ outcome: 'stored' }, { outcome: 'refused' }, { outcome: 'failed' }],
  ),
  bytes: metrics.counter({ name: 'upload_bytes_total', help: 'Bytes of the files that were stored' }),
});
