/** The part of a list to return: the page with a number, or the rows after a position. */
export interface Page {
  /** Starts at 1, which is the default. Ignored if there is `after`. */
  page?: number | undefined;
  after?: Position | undefined;
  /** The maximum number of rows. */
  limit: number;
}

/** The last row of a page. The next page starts after it, also if that row no longer exists. */
export interface Position {
  /** What the row has in the column by which the list is sorted. */
  value: string;
  id: number;
  /** Whether the list had more than MAX_TOTAL rows when it was counted. Decides which index is used. */
  isLong: boolean;
}

/** A list's `total` is exact up to here. */
export const MAX_TOTAL = 10_000;

export interface List<T> {
  rows: T[];
  /** A value above MAX_TOTAL means "more than MAX_TOTAL". Undefined after a position: rows are only counted by page number. */
  total: number | undefined;
  /** Undefined on the last page. */
  next: Position | undefined;
}
