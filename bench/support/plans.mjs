/** The statements of one list request, with their values, in order. */
export async function listStatements({ query }, read) {
  const statements = [];
  const rows = async (statement, values = {}) => {
    const { text, values: given } = statement.bind(values);
    // EXPLAIN needs numbers where a statement binds them as text, such as in LIMIT.
    const bound = given.map((value) => (/^\d+$/.test(String(value)) ? Number(value) : value));
    statements.push({ statement: text.replaceAll(/\s+/g, ' '), values: bound });
    const [found] = await query(text, bound);
    return found;
  };
  await read({ rows, row: async (...given) => (await rows(...given))[0] });
  return statements;
}
