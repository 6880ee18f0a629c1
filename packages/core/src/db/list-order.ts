import { invalidCursor } from '../errors';
import { type Column, decimal, text, timestamp } from './columns';
import type { Condition } from './list-condition';
import type { Position } from './page';
import type { SqlValue } from './statement';

/** A column by which a list can be sorted. It must not be NULL. */
export interface SortColumn {
  /** Or a SQL expression, which no index serves. */
  name: string;
  type: Column<string>;
  /** The SQL value of the text that `type` returns. Undefined for a text that the column cannot contain. */
  parse: (value: string) => SqlValue | undefined;
}

/** Rows with equal values are sorted by id, in the same direction. */
export interface ListOrder {
  column: SortColumn;
  descending: boolean;
  /** The order of a search that finds so many rows that they must be read in index order. Default: this one. */
  ifLong?: ListOrder;
}

/** A DATETIME(3). */
export const timeColumn = (name: string): SortColumn => ({
  name,
  type: timestamp,
  parse(value) {
    const time = new Date(value);
    return /^[1-9]\d{3}-/.test(value) && !Number.isNaN(time.getTime()) && time.toISOString() === value
      ? time
      : undefined;
  },
});

/** A DECIMAL(12, 2). */
export const amountColumn = (name: string): SortColumn => ({
  name,
  type: decimal,
  parse: (value) => (/^\d{1,10}\.\d\d$/.test(value) ? value : undefined),
});

/** Sorted and compared by the collation of the column, whose order is not that of the bytes. */
export const textColumn = (name: string): SortColumn => ({ name, type: text, parse: (value) => value });

export const newestFirst: ListOrder = { column: timeColumn('created_at'), descending: true };

export const directionOf = ({ descending }: ListOrder): 'ASC' | 'DESC' => (descending ? 'DESC' : 'ASC');

export function orderBy(order: ListOrder): string {
  const direction = directionOf(order);
  return `ORDER BY ${order.column.name} ${direction}, id ${direction}`;
}

/**
 * In index order, as two ranges that both servers look up in the index (they do not for `(a, b) < (x, y)`). Otherwise as an
 * expression that no index serves: MySQL would choose the index of the order again, and then scan the table.
 * @throws AppError `invalid_request` if no row can be at the position
 */
export function isAfter({ column, descending }: ListOrder, after: Position, inIndexOrder: boolean): Condition {
  const value = column.parse(after.value);
  if (value === undefined) throw invalidCursor();
  const beyond = descending ? '<' : '>';
  const [equal, further] = [`${column.name} = :afterValue`, `${column.name} ${beyond} :afterValue`];
  const laterId = `id ${beyond} :afterId`;
  return {
    text: inIndexOrder
      ? `(${further} OR (${equal} AND ${laterId}))`
      : `CASE WHEN ${equal} THEN ${laterId} ELSE ${further} END`,
    values: { afterValue: value, afterId: after.id },
  };
}
