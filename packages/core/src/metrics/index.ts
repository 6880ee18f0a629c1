export { collectProcessMetrics, createMetrics, type Metrics, ROUND_TRIP_BUCKETS } from './metrics';
