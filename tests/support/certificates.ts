import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const openssl = async (...args: string[]) => await promisify(execFile)('openssl', args);

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A server's certificate and key, as paths of PEM files. */
export interface Certificate {
  certificate: string;
  key: string;
}

export interface Authority {
  /** The path of its own certificate. */
  ca: string;
  /** @param names such as `DNS:localhost,IP:127.0.0.1` */
  issue(names: string, options?: { expired?: boolean }): Promise<Certificate>;
}

/** A certificate authority of its own, for servers that a test starts. */
export async function anAuthority(): Promise<Authority> {
  const dir = path.join(process.env.SHOP_TEST_DIR ?? '', `authority-${randomUUID()}`);
  await mkdir(dir);
  const [ca, caKey] = [path.join(dir, 'ca.pem'), path.join(dir, 'ca-key.pem')];
  const name = `/CN=authority ${randomUUID()}`;
  await openssl('req', '-x509', ...NEW_KEY, '-subj', name, '-days', '2', '-keyout', caKey, '-out', ca);
  return {
    ca,
    async issue(names, { expired = false } = {}) {
      const file = (kind: string) => path.join(dir, `${names.replaceAll(/\W+/g, '-')}-${randomUUID()}.${kind}`);
      const [certificate, key, request] = [file('pem'), file('key.pem'), file('csr')];
      const extension = `subjectAltName=${names}`;
      await openssl(
        'req',
        '-new',
        ...NEW_KEY,
        '-subj',
        '/CN=server',
        '-addext',
        extension,
        '-keyout',
        key,
        '-out',
        request,
      );
      const signing = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-copy_extensions', 'copy'];
      const days = expired ? '-1' : '2';
      await openssl('x509', '-req', '-in', request, ...signing, '-days', days, '-out', certificate);
      await rm(request);
      return { certificate, key };
    },
  };
}
