import { type SqlValue, type Statement, statement } from '@shop/core/db';

/** A statement for one test, with values in the order of the `?`. */
export function adHoc<Row = never>(text: string, values: readonly SqlValue[] = []): Statement<Row> {
  let count = 0;
  const made = statement(
    'test',
    text.replaceAll('?', () => `:value${count++}`),
  );
  const named = Object.fromEntries(values.map((value, index) => [`value${index}`, value]));
  return { name: made.name, columns: undefined, bind: () => made.bind(named) };
}
