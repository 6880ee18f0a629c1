import { type Column, decimal } from '@shop/core/db';

/** The largest amount a DECIMAL(12,2) holds: 9999999999.99. */
export const MAX_CENTS = 999_999_999_999n;

/**
 * Converts a JSON number to cents, or returns undefined if it has more than two decimals (JSON numbers are doubles in
 * JavaScript).
 */
export function centsFromNumber(value: number): bigint | undefined {
  const cents = Math.round(value * 100);
  return Number.isSafeInteger(cents) && cents / 100 === value ? BigInt(cents) : undefined;
}

/** Converts cents to a JSON number: the double nearest to the exact amount, which prints as that amount. */
export const centsToNumber = (cents: bigint): number => Number(cents) / 100;

/** Converts a DECIMAL as mysql2 returns it ("12.50") to cents. Throws if it is not a DECIMAL(_,2). */
export function centsFromDecimal(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(decimal);
  if (!match) throw new Error(`not a DECIMAL(_,2): ${decimal}`);
  const [, sign = '', whole = '0', fraction = ''] = match;
  const cents = BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0'));
  return sign === '-' ? -cents : cents;
}

/** A DECIMAL(_,2) column, in cents. */
export const cents: Column<bigint> = { ...decimal, decode: centsFromDecimal };

/** Converts cents to a literal for a DECIMAL column. */
export function centsToDecimal(cents: bigint): string {
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
