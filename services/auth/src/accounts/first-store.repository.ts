import { foldText, repository, type Sql } from '@shop/core';

/** The one statement of this service on a table of the store service: an account and its first store come together. */
export const firstStoreRepository = repository('first_store', (sql: Sql) => ({
  async insert(ownerId: number, name: string): Promise<void> {
    await sql.write('INSERT INTO stores (user_id, name, name_folded) VALUES (?, ?, ?)', [
      ownerId,
      name,
      foldText(name),
    ]);
  },
}));
