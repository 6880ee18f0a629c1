import type { Sql, SqlValues, Statement } from '@shop/core/db';

type Query = (text: string, values: (string | Date | Buffer | null)[]) => Promise<Record<string, unknown>[]>;

/** A place for statements that only read, over any connection: for tests that want to see the texts. */
export function sqlOver(query: Query): Sql {
  async function rows<Row>(statement: Statement<Row>, given: SqlValues = {}): Promise<Row[]> {
    const { text, values } = statement.bind(given);
    return (await query(text, values)) as Row[];
  }
  return {
    rows,
    row: async (statement, values) => (await rows(statement, values))[0],
    write: () => Promise.reject(new Error('only reads are expected here')),
  };
}
