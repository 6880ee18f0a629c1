import { isIP } from 'node:net';
import type { SslOptions } from 'mysql2';
import { z } from 'zod';
import { setting, type TlsConfig } from '../config';

/** mysql2 verifies a certificate's host name, but would verify `localhost` for an IP address. */
const isVerifiable = ({ DB_HOST, DB_TLS }: { DB_HOST?: string; DB_TLS?: TlsConfig | undefined }): boolean =>
  !DB_TLS || !isIP(DB_HOST ?? '');

/** Where the database is and how to log in. */
export const databaseSettings = z
  .object({
    DB_HOST: z.string(),
    DB_PORT: setting.port.default(3306),
    DB_USER: z.string(),
    DB_PASS: z.string().default(''),
    DB_NAME: z.string(),
    DB_TLS: setting.tls,
  })
  .refine(isVerifiable, {
    path: ['DB_HOST'],
    error: 'must be a host name if DB_TLS is on: the certificate is verified against it',
  });

export type DatabaseSettings = z.output<typeof databaseSettings>;

/** The TLS options of a mysql2 connection. With them, mysql2 sends nothing but the request for TLS in plain text. */
export const sslOptions = (tls: TlsConfig | undefined): { ssl?: SslOptions } =>
  tls
    ? { ssl: { verifyIdentity: true, rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) } }
    : {};
