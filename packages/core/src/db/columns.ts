import { Types } from 'mysql2';

/** Declares one column of a statement's rows: the type that the driver returns, and the type that the code gets. */
export interface Column<T> {
  /** The accepted server types. */
  types: readonly number[];
  nullable: boolean;
  /** Converts the driver's value. Omitted if the value is used unchanged. */
  decode?: (value: never) => T;
}

export type Columns = Readonly<Record<string, Column<unknown>>>;

/** The row type that follows from its columns. */
export type RowOf<C extends Columns> = { -readonly [K in keyof C]: C[K] extends Column<infer T> ? T : never };

const INTEGERS = [Types.TINY, Types.SHORT, Types.INT24, Types.LONG, Types.LONGLONG];
const DECIMALS = [Types.DECIMAL, Types.NEWDECIMAL];
const TEXTS = [
  Types.VARCHAR,
  Types.VAR_STRING,
  Types.STRING,
  Types.ENUM,
  Types.BLOB,
  Types.TINY_BLOB,
  Types.MEDIUM_BLOB,
  Types.LONG_BLOB,
];
const TIMES = [Types.DATETIME, Types.TIMESTAMP];

/** Integers up to 2^53, such as ids and counts. */
export const int: Column<number> = { types: INTEGERS, nullable: false };
/** Integers of any size, and sums of integers. */
export const bigint: Column<bigint> = {
  types: [...INTEGERS, ...DECIMALS],
  nullable: false,
  decode: (value: string) => BigInt(value),
};
/** A comparison result, or a column with 0 or 1. */
export const flag: Column<boolean> = { types: INTEGERS, nullable: false, decode: (value: number) => value !== 0 };
/** A DECIMAL as exact text, such as "12.50". */
export const decimal: Column<string> = { types: DECIMALS, nullable: false };
export const text: Column<string> = { types: TEXTS, nullable: false };
export const dateTime: Column<Date> = { types: TIMES, nullable: false };
/** A DATETIME as the API sends it (RFC 3339, UTC). */
export const timestamp: Column<string> = {
  types: TIMES,
  nullable: false,
  decode: (value: Date) => value.toISOString(),
};

/** A text that is one of `values`. */
export const textOf = <T extends string>(values: readonly T[]): Column<T> => ({
  types: TEXTS,
  nullable: false,
  decode(value: T) {
    if (!values.includes(value)) throw new Error(`${JSON.stringify(value)} is none of ${values.join(', ')}`);
    return value;
  },
});

export function nullable<T>({ types, decode }: Column<T>): Column<T | null> {
  return {
    types,
    nullable: true,
    ...(decode ? { decode: (value: never) => (value === null ? null : decode(value)) } : {}),
  };
}
