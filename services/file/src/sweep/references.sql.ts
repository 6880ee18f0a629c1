import { inList, repository, type Sql } from '@shop/core';

/** Who points to stored files. Reads products, which belong to the product service: their images live in the same storage. */
export const referenceRepository = repository('reference', (sql: Sql) => ({
  /** @param names at least one */
  async listReferenced(names: string[]): Promise<string[]> {
    const { placeholders, values } = inList(names);
    const rows = await sql.rows<{ name: string }>(
      `SELECT stored_name AS name FROM files WHERE stored_name IN (${placeholders})
       UNION SELECT image AS name FROM products WHERE image IN (${placeholders})`,
      [...values, ...values],
    );
    return rows.map(({ name }) => name);
  },
}));

export type ReferenceRepository = ReturnType<typeof referenceRepository>;
