import { randomInt, randomUUID } from 'node:crypto';
import { accessTokenIssuer, type Role, secretKey } from '@shop/core/auth';
import { foldText, partTerms, wordColumn, wordTerms } from '@shop/core/text';
import { JWT_SECRET } from './test-app';
import { write } from './test-database';

export interface TestUser {
  id: number;
  email: string;
  phone: string;
  role: Role;
  token: string;
  /** For supertest's `.set()`. */
  auth: { Authorization: string };
}

const tokens = accessTokenIssuer(secretKey(JWT_SECRET));

/** A new user without a password, with a valid access token. */
export async function aUser({
  role = 'user',
  name = 'A Person',
}: {
  role?: Role;
  name?: string;
} = {}): Promise<TestUser> {
  const email = `${randomUUID()}@example.com`;
  const phone = `+${randomInt(1e10, 1e12)}`;
  const id = await write('INSERT INTO users (name, name_folded, email, phone, role) VALUES (?, ?, ?, ?, ?)', [
    name,
    foldText(name),
    email,
    phone,
    role,
  ]);
  const { token } = tokens.issue({ id, role });
  return { id, email, phone, role, token, auth: { Authorization: `Bearer ${token}` } };
}

interface StoreOptions {
  owner?: { id: number };
  name?: string;
}

export async function aStore({
  owner,
  name = 'A Store',
}: StoreOptions = {}): Promise<{ id: number; ownerId: number; name: string }> {
  const ownerId = owner?.id ?? (await aUser()).id;
  const insert = 'INSERT INTO stores (user_id, name, name_folded) VALUES (?, ?, ?)';
  return { id: await write(insert, [ownerId, name, foldText(name)]), ownerId, name };
}

export async function aCategory(name = `Category ${randomUUID()}`): Promise<{ id: number; name: string }> {
  return { id: await write('INSERT INTO categories (name, name_key) VALUES (?, ?)', [name, foldText(name)]), name };
}

interface ProductOptions {
  store?: { id: number };
  category?: { id: number };
  name?: string;
  description?: string;
  /** As a DECIMAL literal. */
  price?: string;
  stock?: number;
}

export async function aProduct(
  options: ProductOptions = {},
): Promise<{ id: number; storeId: number; name: string; price: string; stock: number }> {
  const { category, name = 'A Product', description = '', price = '10.00', stock = 10 } = options;
  const storeId = options.store?.id ?? (await aStore()).id;
  const id = await write(
    `INSERT INTO products
       (store_id, category_id, name, name_folded, name_words, description, description_words, terms_checksum, price, stock)
     VALUES (?, ?, ?, ?, ?, ?, ?, CRC32(?), ?, ?)`,
    [
      storeId,
      category?.id ?? null,
      name,
      foldText(name),
      wordColumn(name),
      description,
      wordColumn(description),
      foldText(name) + wordColumn(description),
      price,
      stock,
    ],
  );
  const terms = [
    ...partTerms(name).map((term) => [id, 'name', term]),
    ...wordTerms(description).map((term) => [id, 'description', term]),
  ];
  const places = terms.map(() => '(?, ?, ?)').join(', ');
  await write(`INSERT INTO product_terms (product_id, field, term) VALUES ${places}`, terms.flat());
  await write("INSERT INTO stock_movements (product_id, reason, quantity) VALUES (?, 'initial', ?)", [id, stock]);
  return { id, storeId, name, price, stock };
}

export async function anAddress(owner: { id: number }, address = 'Main Street 1'): Promise<{ id: number }> {
  const [label, city, postalCode] = ['Home', 'Springfield', '12345'];
  const id = await write(
    `INSERT INTO addresses (user_id, label, label_folded, address, city, city_folded, postal_code, postal_code_folded)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [owner.id, label, foldText(label), address, city, foldText(city), postalCode, foldText(postalCode)],
  );
  return { id };
}
