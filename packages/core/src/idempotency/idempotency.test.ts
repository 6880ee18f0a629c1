import type { Sql } from '@shop/core/db';
import { createIdempotency } from '@shop/core/idempotency';
import { aDatabase, adHoc, aUser, closeDatabases } from '@shop/testing';

afterAll(closeDatabases);

describe('a write of one statement', () => {
  const { db } = aDatabase();
  const idempotency = createIdempotency(db);
  const autocommit = async (sql: Sql) => ({
    isOn: (await sql.rows(adHoc<{ on: number }>('SELECT @@autocommit AS `on`')))[0]?.on === 1,
  });

  it('is no database transaction without a key', async () => {
    const options = { isOneStatement: true };
    expect(await idempotency.once(undefined, autocommit, options)).toEqual({ isOn: true });
    expect(await idempotency.once(undefined, autocommit)).toEqual({ isOn: false });
  });

  it('is part of the database transaction that stores the key, if there is one', async () => {
    const attempt = { userId: (await aUser()).id, route: 'POST /things', key: 'k', hash: 'h', toJson: JSON.stringify };
    expect(await idempotency.once(attempt, autocommit, { isOneStatement: true })).toEqual({ isOn: false });
  });
});
