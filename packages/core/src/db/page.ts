/** The page number, starting at 1, and the maximum number of rows per page. */
export interface Page {
  page: number;
  limit: number;
}

/** A list's `total` is exact up to here. */
export const MAX_TOTAL = 10_000;

export interface List<T> {
  rows: T[];
  /** A value above MAX_TOTAL means "more than MAX_TOTAL". */
  total: number;
}
