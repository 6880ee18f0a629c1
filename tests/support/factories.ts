import { randomInt, randomUUID } from 'node:crypto';
import { accessTokens, type Role } from '@shop/core';
import { JWT_SECRET } from './test-app';
import { write } from './test-database';

export interface TestUser {
  id: number;
  email: string;
  phone: string;
  role: Role;
  token: string;
  /** Ready for supertest's `.set()`. */
  auth: { Authorization: string };
}

const tokens = accessTokens(JWT_SECRET);

/** A fresh user who cannot log in by password (none is set), but holds a valid access token. */
export async function aUser({
  role = 'user',
  name = 'A Person',
}: {
  role?: Role;
  name?: string;
} = {}): Promise<TestUser> {
  const email = `${randomUUID()}@example.com`;
  const phone = `+${randomInt(1e10, 1e12)}`;
  const id = await write('INSERT INTO users (name, email, phone, role) VALUES (?, ?, ?, ?)', [
    name,
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
  return { id: await write('INSERT INTO stores (user_id, name) VALUES (?, ?)', [ownerId, name]), ownerId, name };
}

export async function aCategory(name = `Category ${randomUUID()}`): Promise<{ id: number; name: string }> {
  return { id: await write('INSERT INTO categories (name, name_key) VALUES (?, ?)', [name, name.toLowerCase()]), name };
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
    'INSERT INTO products (store_id, category_id, name, description, price, stock) VALUES (?, ?, ?, ?, ?, ?)',
    [storeId, category?.id ?? null, name, description, price, stock],
  );
  await write("INSERT INTO stock_movements (product_id, reason, quantity) VALUES (?, 'initial', ?)", [id, stock]);
  return { id, storeId, name, price, stock };
}

export async function anAddress(owner: { id: number }, address = 'Main Street 1'): Promise<{ id: number }> {
  const id = await write('INSERT INTO addresses (user_id, label, address, city, postal_code) VALUES (?, ?, ?, ?, ?)', [
    owner.id,
    'Home',
    address,
    'Springfield',
    '12345',
  ]);
  return { id };
}
