import type { FieldPacket } from 'mysql2';
import type { Columns, RowOf } from './columns';

/** A value for a placeholder. Numbers are sent as text: mysql2 sends them as DOUBLE, which MySQL rejects in LIMIT. */
export type SqlValue = string | number | bigint | boolean | Date | Buffer | null;

/** Values by placeholder name. An array is a list for `IN` and needs at least one element. */
export type SqlValues = Readonly<Record<string, SqlValue | readonly SqlValue[]>>;

/** A named SQL text. `Row` is the type of its rows, `never` for a statement without rows. */
export interface Statement<Row = never> {
  /** The metrics label, such as `product.get`. Each name is a series of its own. */
  readonly name: string;
  readonly columns: Columns | undefined;
  /** Returns the text with `?` placeholders, and the values in order. */
  bind(values: SqlValues): { text: string; values: BoundValue[] };
  /** Exists only for the type checker. */
  readonly row?: Row;
}

type BoundValue = string | Date | Buffer | null;

/** A name starts with a letter, so `'12:30'` and `::` do not match. */
const PLACEHOLDER = /:([a-zA-Z]\w*)/;

/**
 * Declares a statement with named placeholders. The row type follows from `columns`, which are compared with the columns
 * that the server returns (see `assertColumns`).
 *
 * @example
 * const GET_STORE = statement('store.get', { id: int, name: text }, 'SELECT id, name FROM stores WHERE id = :id');
 * const DELETE_STORE = statement('store.delete', 'DELETE FROM stores WHERE id = :id');
 */
export function statement(name: string, sql: string): Statement;
export function statement<C extends Columns>(name: string, columns: C, sql: string): Statement<RowOf<C>>;
export function statement(name: string, ...rest: [string] | [Columns, string]): Statement<unknown> {
  const [columns, sql] = rest.length === 2 ? rest : [undefined, rest[0]];
  const parts = sql.split(PLACEHOLDER);
  const literals = parts.filter((_, index) => index % 2 === 0);
  const names = parts.filter((_, index) => index % 2 === 1);
  const textWithoutLists = literals.join('?');

  function bind(values: SqlValues): { text: string; values: BoundValue[] } {
    const given = names.map((placeholder) => {
      const value = values[placeholder];
      if (value === undefined) throw new TypeError(`${name}: no value for :${placeholder}`);
      return value;
    });
    if (!given.some(Array.isArray)) return { text: textWithoutLists, values: (given as SqlValue[]).map(bindable) };
    const bound = given.map((value) =>
      Array.isArray(value) ? padded(value).map(bindable) : [bindable(value as SqlValue)],
    );
    const text = bound.reduce(
      (before, list, index) => before + list.map(() => '?').join(', ') + literals[index + 1],
      literals[0] ?? '',
    );
    return { text, values: bound.flat() };
  }

  return { name, columns, bind };
}

const bindable = (value: SqlValue): BoundValue => {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return value;
};

/**
 * Repeats the last value until the length is a power of two. This gives a few SQL texts instead of one for each length, and
 * so limits the number of prepared statements on the server.
 */
export function padded<T>(values: readonly T[]): T[] {
  const last = values.at(-1);
  if (last === undefined) throw new TypeError('an IN list needs at least one value');
  const size = 2 ** Math.ceil(Math.log2(values.length));
  return [...values, ...Array<T>(size - values.length).fill(last)];
}

/** Applies the columns' `decode` functions to the rows, in place. */
export function decodeRows<Row>({ columns }: Statement<Row>, rows: Record<string, unknown>[]): Row[] {
  for (const [name, { decode }] of Object.entries(columns ?? {})) {
    if (!decode) continue;
    for (const row of rows) row[name] = decode(row[name] as never);
  }
  return rows as Row[];
}

const NOT_NULL = 1;
const SCALAR_SUBQUERY = /\(\s*SELECT\b/i;

/** Throws if the columns that the server returns for `text` differ from the declared ones. */
export function assertColumns(
  { name, columns = {} }: Statement<unknown>,
  text: string,
  fields: readonly FieldPacket[],
): void {
  const fail = (problem: string): never => {
    throw new Error(`the columns of ${name} are not as declared: ${problem}`);
  };
  const delivered = new Map(fields.map((field) => [field.name, field]));
  for (const [column, { types, nullable }] of Object.entries(columns)) {
    const field = delivered.get(column) ?? fail(`there is no ${column}`);
    const type = field.columnType ?? field.type ?? -1;
    if (!types.includes(type)) fail(`${column} has type ${type}`);
    // Servers do not report reliably whether an expression can be null, and MySQL 9 for no column beside a scalar subquery.
    const isReliable = field.orgTable !== '' && !SCALAR_SUBQUERY.test(text);
    const canBeNull = isReliable && (Number(field.flags) & NOT_NULL) === 0;
    if (canBeNull && !nullable) fail(`${column} can be null`);
    delivered.delete(column);
  }
  for (const extra of delivered.keys()) fail(`${extra} is not declared`);
}
