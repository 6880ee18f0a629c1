import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** A TLS connection to a server whose certificate is verified, including its host name. */
export interface TlsConfig {
  /** PEM certificates. undefined: the certificate authorities that Node.js trusts. */
  ca: string | undefined;
}

const EXPECTED = 'must be "off", "on" or the path of a file with CA certificates (PEM)';

/** Returns undefined for `off`. */
export const tlsSetting = z
  .string()
  .default('off')
  .transform((value, context): TlsConfig | undefined => {
    if (value === 'off') return undefined;
    if (value === 'on') return { ca: undefined };
    try {
      const ca = readFileSync(value, 'utf8');
      new X509Certificate(ca);
      return { ca };
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).syscall ? 'cannot be read' : 'contains no certificate';
      context.addIssue({ code: 'custom', message: `${EXPECTED}: ${value} ${reason}` });
      return z.NEVER;
    }
  });
