import type { Sql, SqlValues, Statement } from '@shop/core/db';

type Query = (text: string, values: (string | Date | Buffer | null)[]) => Promise<Record<string, unknown>[]>;

/** A place for statements that only read, over any connection: for tests that want to see the texts. */
export function sqlOver(query: Query): Sql {
  const rows = async <Row>(given: Statement<Row> | string, givenValues: unknown = {}): Promise<Row[]> => {
    if (typeof given === 'string') return (await query(given, givenValues as never)) as Row[];
    const { text, values } = given.bind(givenValues as SqlValues);
    return (await query(text, values)) as Row[];
  };
  return {
    rows,
    row: async (statement, values) => (await rows(statement, values))[0],
    write: () => Promise.reject(new Error('only reads are expected here')),
  };
}
