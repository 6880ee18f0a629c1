import type { Sql, SqlValues, Statement } from '@shop/core/db';

type Query = (text: string, values: (string | Date | Buffer | null)[]) => Promise<Record<string, unknown>[]>;

/** A read-only `Sql` over any query function, for tests that inspect the statement texts. */
export function sqlOver(query: Query): Sql {
  async function rows<Row>(statement: Statement<Row>, given: SqlValues = {}): Promise<Row[]> {
    const { text, values } = statement.bind(given);
    return (await query(text, values)).map((row) => decoded(statement, row)) as Row[];
  }
  return {
    rows,
    row: async (statement, values) => (await rows(statement, values))[0],
    write: () => Promise.reject(new Error('only reads are expected here')),
  };
}

function decoded({ columns = {} }: Statement<unknown>, row: Record<string, unknown>): Record<string, unknown> {
  const values = Object.entries(columns).map(([name, { decode }]) => [
    name,
    decode ? decode(row[name] as never) : row[name],
  ]);
  return { ...row, ...Object.fromEntries(values) };
}
