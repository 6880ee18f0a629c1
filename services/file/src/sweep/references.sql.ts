import { type Sql, statement, text } from '@shop/core/db';

/*
 * References to stored files: table files and the product service's table products, whose images are in the same storage.
 */

const LIST_REFERENCED = statement(
  'reference.listReferenced',
  { name: text },
  `SELECT stored_name AS name FROM files WHERE stored_name IN (:names)
   UNION SELECT image AS name FROM products WHERE image IN (:names)`,
);

/** @param names at least one */
export async function listReferenced(sql: Sql, names: string[]): Promise<string[]> {
  return (await sql.rows(LIST_REFERENCED, { names })).map(({ name }) => name);
}
