import {
  containsPattern,
  type List,
  limitOffset,
  onMissingParent,
  repository,
  type Sql,
  unauthenticated,
} from '@shop/core';
import type { Address, AddressChange, AddressQuery, NewAddress } from './address.schemas';

interface AddressRow {
  id: number;
  user_id: number;
  label: string;
  address: string;
  city: string;
  postal_code: string;
  created_at: Date;
}

const toAddress = (row: AddressRow): Address => ({ ...row, created_at: row.created_at.toISOString() });

/** Every statement on addresses. Deleting one clears `transactions.address_id` (foreign key). Filters: see `containsPattern`. */
export const addressRepository = repository('address', (sql: Sql) => ({
  async insert(userId: number, { label, address, city, postal_code }: NewAddress): Promise<number> {
    const insertion = sql.write(
      'INSERT INTO addresses (user_id, label, address, city, postal_code) VALUES (?, ?, ?, ?, ?)',
      [userId, label, address, city, postal_code],
    );
    // The token outlives its user.
    const { insertId } = await onMissingParent(insertion, { addresses_user: unauthenticated });
    return insertId;
  },

  async findById(id: number): Promise<Address | undefined> {
    const [row] = await sql.rows<AddressRow>(
      'SELECT id, user_id, label, address, city, postal_code, created_at FROM addresses WHERE id = ?',
      [id],
    );
    return row && toAddress(row);
  },

  async list(userId: number, query: AddressQuery): Promise<List<Address>> {
    const label = query.label ? containsPattern(query.label) : null;
    const city = query.city || null;
    const postalCode = query.postal_code || null;
    const filter = [userId, label, label, city, city, postalCode, postalCode];
    const rows = await sql.rows<AddressRow>(
      `SELECT id, user_id, label, address, city, postal_code, created_at FROM addresses
       WHERE user_id = ?
         AND (? IS NULL OR LOWER(label) LIKE LOWER(?) COLLATE utf8mb4_bin)
         AND (? IS NULL OR LOWER(city) = LOWER(?) COLLATE utf8mb4_bin)
         AND (? IS NULL OR LOWER(postal_code) = LOWER(?) COLLATE utf8mb4_bin)
       ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`,
      [...filter, ...limitOffset(query)],
    );
    const [count] = await sql.rows<{ total: number }>(
      `SELECT COUNT(*) AS total FROM addresses
       WHERE user_id = ?
         AND (? IS NULL OR LOWER(label) LIKE LOWER(?) COLLATE utf8mb4_bin)
         AND (? IS NULL OR LOWER(city) = LOWER(?) COLLATE utf8mb4_bin)
         AND (? IS NULL OR LOWER(postal_code) = LOWER(?) COLLATE utf8mb4_bin)`,
      filter,
    );
    return { rows: rows.map(toAddress), total: Number(count?.total ?? 0) };
  },

  /** Changes what is given (no column is nullable). @returns false when there is no such address */
  async update(id: number, { label, address, city, postal_code }: AddressChange): Promise<boolean> {
    const { affectedRows } = await sql.write(
      `UPDATE addresses
       SET label = COALESCE(?, label), address = COALESCE(?, address), city = COALESCE(?, city),
           postal_code = COALESCE(?, postal_code)
       WHERE id = ?`,
      [label ?? null, address ?? null, city ?? null, postal_code ?? null, id],
    );
    return affectedRows > 0;
  },

  async delete(id: number): Promise<void> {
    await sql.write('DELETE FROM addresses WHERE id = ?', [id]);
  },
}));

export type AddressRepository = ReturnType<typeof addressRepository>;
