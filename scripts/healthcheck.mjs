// The image's HEALTHCHECK. It first checks /ready (database and schema are available), so that a rolling update stops at a
// version that cannot serve. Once that has succeeded it checks /health: a database outage must not kill every container.
// Without a writable folder for temporary files it always checks /ready.
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
