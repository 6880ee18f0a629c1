/** Preloaded into the reference service of the `overhead` benchmark. Disables its metrics. (Its log level is `silent`.) */
const { createRequire } = require('node:module');
const path = require('node:path');

const { Counter, Gauge, Histogram } = createRequire(path.join(__dirname, '../../packages/core/package.json'))(
  'prom-client',
);
const nothing = () => undefined;
Counter.prototype.inc = nothing;
Gauge.prototype.set = nothing;
Histogram.prototype.observe = nothing;
