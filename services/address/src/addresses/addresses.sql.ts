import { invalidAccessToken } from '@shop/core/auth';
import {
  contains,
  equalsText,
  int,
  type List,
  onMissingParent,
  type Sql,
  selectList,
  statement,
  text,
  timestamp,
  when,
} from '@shop/core/db';
import { foldText } from '@shop/core/text';
import type { Address, AddressChange, AddressQuery, NewAddress } from './addresses.schemas';

/*
 * Table addresses. Also reads the ids of the orders shipped to an address from the transaction service's table.
 * Deleting an address clears transactions.address_id (foreign key).
 */

const addressColumns = {
  id: int,
  user_id: int,
  label: text,
  address: text,
  city: text,
  postal_code: text,
  created_at: timestamp,
};

const INSERT_ADDRESS = statement(
  'address.insert',
  `INSERT INTO addresses
     (user_id, label, label_folded, address, city, city_folded, postal_code, postal_code_folded)
   VALUES (:userId, :label, :labelFolded, :address, :city, :cityFolded, :postalCode, :postalCodeFolded)`,
);

/** @returns its id */
export async function insertAddress(sql: Sql, userId: number, address: NewAddress): Promise<number> {
  const insert = sql.write(INSERT_ADDRESS, { userId, ...columnValues(address) });
  // An access token can outlive its user.
  const { insertId } = await onMissingParent(insert, { addresses_user: invalidAccessToken });
  return insertId;
}

const FIND_ADDRESS = statement(
  'address.findById',
  addressColumns,
  'SELECT id, user_id, label, address, city, postal_code, created_at FROM addresses WHERE id = :id',
);

export async function findAddress(sql: Sql, id: number): Promise<Address | undefined> {
  return await sql.row(FIND_ADDRESS, { id });
}

export async function listAddresses(sql: Sql, userId: number, query: AddressQuery): Promise<List<Address>> {
  const source = {
    name: 'address.list',
    columns: addressColumns,
    select: 'addresses.id, user_id, label, address, city, postal_code, created_at',
    table: 'addresses',
    where: [
      when('user_id = :userId', { userId }),
      contains(['label_folded'], query.label),
      equalsText('city_folded', query.city),
      equalsText('postal_code_folded', query.postal_code),
    ],
    index: 'addresses_user',
  };
  return await selectList(sql, source, query);
}

const UPDATE_ADDRESS = statement(
  'address.update',
  `UPDATE addresses
   SET label = COALESCE(:label, label), label_folded = COALESCE(:labelFolded, label_folded),
       address = COALESCE(:address, address),
       city = COALESCE(:city, city), city_folded = COALESCE(:cityFolded, city_folded),
       postal_code = COALESCE(:postalCode, postal_code),
       postal_code_folded = COALESCE(:postalCodeFolded, postal_code_folded)
   WHERE id = :id AND user_id = COALESCE(:ownerId, user_id)`,
);

/** Updates the given fields. @param ownerId null: of any user @returns whether the owner has the address */
export async function updateAddress(
  sql: Sql,
  id: number,
  ownerId: number | null,
  change: AddressChange,
): Promise<boolean> {
  const { affectedRows } = await sql.write(UPDATE_ADDRESS, { id, ownerId, ...columnValues(change) });
  return affectedRows > 0;
}

const LIST_ORDER_IDS = statement(
  'address.listTransactionIds',
  { id: int },
  'SELECT id FROM transactions WHERE address_id = :id AND user_id = COALESCE(:ownerId, user_id)',
);

/** Orders of the owner shipped to the address. @param ownerId null: of any user */
export async function listOrderIds(sql: Sql, id: number, ownerId: number | null): Promise<number[]> {
  return (await sql.rows(LIST_ORDER_IDS, { id, ownerId })).map((order) => order.id);
}

const DELETE_ADDRESS = statement(
  'address.delete',
  'DELETE FROM addresses WHERE id = :id AND user_id = COALESCE(:ownerId, user_id)',
);

/** @param ownerId null: of any user @returns whether the owner had the address */
export async function deleteAddressRow(sql: Sql, id: number, ownerId: number | null): Promise<boolean> {
  return (await sql.write(DELETE_ADDRESS, { id, ownerId })).affectedRows === 1;
}

/** A missing field becomes null, which keeps the stored value (COALESCE). No column is nullable. */
const columnValues = ({ label, address, city, postal_code }: AddressChange) => ({
  label: label ?? null,
  labelFolded: folded(label),
  address: address ?? null,
  city: city ?? null,
  cityFolded: folded(city),
  postalCode: postal_code ?? null,
  postalCodeFolded: folded(postal_code),
});

const folded = (value: string | undefined): string | null => (value === undefined ? null : foldText(value));
