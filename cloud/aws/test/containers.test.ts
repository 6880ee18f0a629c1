import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { rdsCertificates } from '../lib/rds-certificates';
import { dockerfileHealthCheck, nginxImage } from '../lib/repository';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'evermos-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('prepare-volumes makes /tmp writable for everybody and writes the certificates', () => {
  const TMP = path.join(folder, 'tmp');
  mkdirSync(TMP, { mode: 0o755 });
  const CA_FILE = path.join(folder, 'rds.pem');
  const script = readFileSync(path.join(__dirname, '../containers/prepare-volumes.cjs'), 'utf8');
  execFileSync(process.execPath, ['-e', script], { env: { TMP, CA_FILE, CA: rdsCertificates() } });
  assert.equal(statSync(TMP).mode & 0o7777, 0o1777);
  assert.equal(readFileSync(CA_FILE, 'utf8'), rdsCertificates());
  assert.equal(statSync(CA_FILE).mode & 0o777, 0o444);
});

test("RDS's certificate authorities are those of the region, and still valid", () => {
  const pems = rdsCertificates()
    .split(/(?<=-----END CERTIFICATE-----)\n/)
    .filter((pem) => pem.trim());
  const names = pems.map((pem) => /CN=(.*)/.exec(new X509Certificate(pem).subject)?.[1]);
  assert.deepEqual(
    names.sort(),
    ['ECC384', 'RSA2048', 'RSA4096'].map((key) => `Amazon RDS us-east-1 Root CA ${key} G1`),
  );
  for (const pem of pems) assert.ok(new Date(new X509Certificate(pem).validTo) > new Date());
});

test('a client cannot choose the IP that Nginx limits', () => {
  const code = readFileSync(path.join(__dirname, '../lib/edge/viewer-ip.js'), 'utf8');
  const event = {
    viewer: { ip: '203.0.113.7' },
    request: { headers: { 'true-client-ip': { value: '10.0.0.1' }, host: { value: 'shop.test' } } },
  };
  const { headers } = runInNewContext(`${code}; handler(event)`, { event });
  assert.equal(headers['true-client-ip'].value, '203.0.113.7');
  assert.equal(headers.host.value, 'shop.test');
  const realIp = readFileSync(path.join(__dirname, '../containers/gateway/real-ip.conf.template'), 'utf8');
  assert.match(realIp, /^real_ip_header True-Client-IP;$/m);
});

test("a Dockerfile's health check is read completely, or not at all", () => {
  const dockerfile =
    'FROM x\nHEALTHCHECK --interval=7s --timeout=5s --start-period=60s --retries=3 CMD ["a", "b"]\n# [c]\n';
  assert.deepEqual(dockerfileHealthCheck(dockerfile), {
    command: ['a', 'b'],
    intervalSeconds: 7,
    timeoutSeconds: 5,
    startPeriodSeconds: 60,
    retries: 3,
  });
  assert.throws(() => dockerfileHealthCheck('FROM x\n'), /has no HEALTHCHECK/);
  assert.throws(() => dockerfileHealthCheck(dockerfile.replace('--retries=3', '')), /has no --retries/);
  assert.match(nginxImage(), /^nginx:\d/);
});
