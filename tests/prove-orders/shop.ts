import { randomUUID } from 'node:crypto';
import { ask, OperatorError } from '@shop/test-servers';
import type { Person, Shop } from './workload';

const PRODUCTS_EACH = 5;

/** Fills the shop through its own API: sellers with a few units of a few products each, and buyers with an address. */
export async function openShop(url: string, { buyers, sellers }: { buyers: number; sellers: number }): Promise<Shop> {
  const run = randomUUID().slice(0, 8);
  const post = async (path: string, json: object, token?: string): Promise<Record<string, unknown>> => {
    const { status, body } = await ask(url + path, 'POST', { json, ...(token ? { token } : {}) });
    if (status !== 201 && status !== 200) throw new OperatorError(`POST ${path} got ${status ?? 'no response'}`);
    return body;
  };
  const logIn = async (name: string, email: string, password: string): Promise<Person> => {
    const token = String((await post('/api/v1/auth/login', { email, password })).token);
    const { body } = await ask(`${url}/api/v1/auth/me`, 'GET', { token });
    return { name, token, id: Number(body.id) };
  };
  let phones = 0;
  const person = async (name: string): Promise<Person> => {
    const email = `${name}-${run}@example.com`;
    const password = 'correct horse battery';
    phones += 1;
    await post('/api/v1/auth/register', { name, email, password, phone: `+${Date.now()}${phones}` });
    return logIn(name, email, password);
  };
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  return {
    url,
    admin: await logIn('admin', 'admin@example.com', 'admin123'),
    sellers: await Promise.all(
      numbers(sellers).map(async (n) => {
        const seller = await person(`seller-${n}`);
        const productIds: number[] = [];
        for (const product of numbers(PRODUCTS_EACH)) {
          const fields = { name: `Mug ${n}.${product}`, price: 0.1 + 9.99 * product, stock: 10 };
          const rounded = { ...fields, price: Math.round(fields.price * 100) / 100 };
          productIds.push(Number((await post('/api/v1/products', rounded, seller.token)).id));
        }
        return { ...seller, productIds };
      }),
    ),
    buyers: await Promise.all(
      numbers(buyers).map(async (n) => {
        const buyer = await person(`buyer-${n}`);
        const address = await post('/api/v1/addresses', { address: `${n} Main Street` }, buyer.token);
        return { ...buyer, addressId: Number(address.id) };
      }),
    ),
  };
}
