// The image's HEALTHCHECK. Healthy for the first time when the service is ready (/ready: database and schema are there),
// so that a rolling update stops at a version that cannot serve. From then on when it is alive (/health): a database
// that goes away must not have every container killed. Without a writable folder for temporary files it asks /ready always.
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const port = process.env[`${process.env.SERVICE?.toUpperCase()}_PORT`];
const wasReady = join(tmpdir(), 'was-ready');

const ok = async (path) => {
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2500) })).ok;
  } catch {
    return false;
  }
};

if (existsSync(wasReady)) {
  process.exit((await ok('/health')) ? 0 : 1);
}
if (!(await ok('/ready'))) process.exit(1);
try {
  writeFileSync(wasReady, '');
} catch {}
process.exit(0);
