/**
 * Preloaded into a service. Records which of our functions a request with the header `x-record-calls` calls, and writes
 * `[{ file, name, calls }]` to the file named in the header after the response has been sent.
 */
const { writeFileSync } = require('node:fs');
const http = require('node:http');
const { Session } = require('node:inspector');
const { fileURLToPath } = require('node:url');

const session = new Session();
session.connect();

/** An in-process inspector session calls the callback before `post` returns. */
function post(method, params) {
  let outcome;
  session.post(method, params, (error, result) => {
    if (error) throw error;
    outcome = result;
  });
  return outcome;
}

function calledFunctions() {
  const { result } = post('Profiler.takePreciseCoverage');
  return result
    .filter(
      ({ url }) => url.startsWith('file:') && !url.includes('/node_modules/') && /\/(services|packages)\//.test(url),
    )
    .flatMap(({ url, functions }) =>
      functions.map(({ functionName, ranges: [range] }) => ({
        file: fileURLToPath(url),
        name: functionName,
        calls: range.count,
      })),
    )
    .filter(({ calls }) => calls > 0);
}

post('Profiler.enable');
const { emit } = http.Server.prototype;
http.Server.prototype.emit = function emitAndRecord(event, ...values) {
  const [req, res] = values;
  const target = event === 'request' ? req.headers['x-record-calls'] : undefined;
  if (target) {
    post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    res.once('close', () => {
      setImmediate(() => {
        writeFileSync(target, JSON.stringify(calledFunctions()));
        post('Profiler.stopPreciseCoverage');
      });
    });
  }
  return emit.call(this, event, ...values);
};
