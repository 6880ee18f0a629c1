import {
  type Condition,
  contains,
  equalsText,
  foldText,
  type List,
  lockInIdOrder,
  onMissingParent,
  repository,
  type Sql,
  selectList,
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

/** Every statement on addresses. Deleting one clears `transactions.address_id` (foreign key). */
export const addressRepository = repository('address', (sql: Sql) => ({
  async insert(userId: number, { label, address, city, postal_code }: NewAddress): Promise<number> {
    const insertion = sql.write(
      `INSERT INTO addresses
         (user_id, label, label_folded, address, city, city_folded, postal_code, postal_code_folded)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      [userId, label, foldText(label), address, city, foldText(city), postal_code, foldText(postal_code)],
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

  list(userId: number, query: AddressQuery): Promise<List<Address>> {
    const where: (Condition | undefined)[] = [
      ['user_id = ?', userId],
      contains(['label_folded'], query.label),
      equalsText('city_folded', query.city),
      equalsText('postal_code_folded', query.postal_code),
    ];
    const source = {
      table: 'addresses',
      columns: 'addresses.id, user_id, label, address, city, postal_code, created_at',
      where,
      index: 'addresses_user',
    };
    return selectList(sql, source, query, toAddress);
  },

  /** Changes what is given (no column is nullable). @returns false when there is no such address */
  async update(id: number, { label, address, city, postal_code }: AddressChange): Promise<boolean> {
    const { affectedRows } = await sql.write(
      `UPDATE addresses
       SET label = COALESCE(?, label), label_folded = COALESCE(?, label_folded), address = COALESCE(?, address),
           city = COALESCE(?, city), city_folded = COALESCE(?, city_folded),
           postal_code = COALESCE(?, postal_code), postal_code_folded = COALESCE(?, postal_code_folded)
       WHERE id = ?`,
      [...withFolded(label), address ?? null, ...withFolded(city), ...withFolded(postal_code), id],
    );
    return affectedRows > 0;
  },

  /** Those that were shipped to it; they belong to the transaction service. */
  async listTransactionIds(id: number): Promise<number[]> {
    const rows = await sql.rows<{ id: number }>('SELECT id FROM transactions WHERE address_id = ?', [id]);
    return rows.map((row) => row.id);
  },

  async lockTransactions(ids: number[]): Promise<void> {
    await lockInIdOrder(sql, 'transactions', ids);
  },

  /** @returns false: there is none */
  async delete(id: number): Promise<boolean> {
    return (await sql.write('DELETE FROM addresses WHERE id = ?', [id])).affectedRows === 1;
  },
}));

/** A text and its folded form, each null where there is none. */
const withFolded = (text: string | undefined) => (text === undefined ? [null, null] : [text, foldText(text)]);

export type AddressRepository = ReturnType<typeof addressRepository>;
