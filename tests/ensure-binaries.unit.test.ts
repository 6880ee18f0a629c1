import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findBinary, repoRoot } from '@shop/test-servers';

const bin = mkdtempSync(path.join(os.tmpdir(), 'debian-'));

afterAll(() => rmSync(bin, { recursive: true }));

/**
 * Fills `bin`, a PATH with only the commands that the script calls. `apt-get`, `dpkg` and `sudo` are fakes of a Debian on
 * which one exporter is missing and another package is only upgraded. Nothing is installed on this machine.
 */
function aDebian(): { calls: () => string[] } {
  const log = path.join(bin, 'calls');
  const stub = (name: string, script: string) =>
    writeFileSync(path.join(bin, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  for (const name of ['bash', 'cat', 'env', 'sed', 'touch', 'chmod']) {
    symlinkSync(findBinary(name) ?? '', path.join(bin, name));
  }
  stub('id', 'echo 1000');
  stub('sudo', `shift; echo "$*" >>${log}; if [ "$1" = env ]; then "$@"; elif [ "$1" = tee ]; then cat >/dev/null; fi`);
  stub(
    'apt-get',
    `case "$*" in
  *' -s install'*) printf 'Inst base [1.0] (1.1 Debian [amd64])\\nInst prometheus-redis-exporter (1.45 Debian [amd64])\\n' ;;
  *' install'*) touch ${bin}/prometheus-redis-exporter && chmod +x ${bin}/prometheus-redis-exporter ;;
esac`,
  );
  stub('dpkg', 'printf "/lib/systemd/system/$2.service\\n/etc/init.d/$2\\n/usr/bin/$2\\n"');
  return { calls: () => readFileSync(log, 'utf8').split('\n') };
}

test('newly installed services are not started at the next boot, and other services are not changed', () => {
  const { calls } = aDebian();
  execFileSync(path.join(bin, 'bash'), [path.join(repoRoot, 'scripts/ensure-binaries.sh'), 'redis-exporter'], {
    env: { PATH: bin },
    stdio: 'pipe',
  });
  expect(calls().filter((call) => / disable/.test(call))).toEqual([
    'deb-systemd-helper disable prometheus-redis-exporter.service',
    'update-rc.d prometheus-redis-exporter disable',
  ]);
});
