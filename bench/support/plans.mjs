/** The statements that reading a list runs, with their values, in order. */
export async function listStatements({ query }, read) {
  const statements = [];
  await read({
    async rows(statement, values = []) {
      const bound = values.map((value) => (typeof value === 'bigint' ? Number(value) : value));
      statements.push({ statement: statement.replaceAll(/\s+/g, ' '), values: bound });
      const [rows] = await query(statement, bound);
      return rows;
    },
  });
  return statements;
}
