/** Which page of a list, from 1, and how many rows it has at most. */
export interface Page {
  page: number;
  limit: number;
}

/** A list's `total` is exact up to here. */
export const MAX_TOTAL = 10_000;

export interface List<T> {
  rows: T[];
  /** Any number over MAX_TOTAL: more than that. */
  total: number;
}
