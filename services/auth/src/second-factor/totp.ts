import { Secret, TOTP } from 'otpauth';

/** Codes of the time step before and after are accepted, too: clocks differ, and typing takes time. */
const WINDOW = 1;

/** What every authenticator app supports (RFC 6238). */
const PARAMETERS = { algorithm: 'SHA1', digits: 6, period: 30 };

/** 160 random bits, the output size of SHA-1. @returns base32 */
export const newSecret = (): string => new Secret({ size: 20 }).base32;

export const otpauthUri = (secret: string, issuer: string, label: string): string =>
  new TOTP({ ...PARAMETERS, issuer, label, secret }).toString();

/** @returns the time step of the code, counted from 1970; undefined if the code is wrong */
export function findStep(secret: string, code: string): number | undefined {
  const timestamp = Date.now();
  const totp = new TOTP({ ...PARAMETERS, secret });
  const delta = totp.validate({ token: code, timestamp, window: WINDOW });
  return delta === null ? undefined : totp.counter({ timestamp }) + delta;
}
