import { randomUUID } from 'node:crypto';
import { ask, OperatorError, type Random } from '@shop/test-servers';
import { type KnownValues, knownGrammar } from './valid-values';

export interface Person {
  email: string;
  password: string;
  id: number;
  token: string;
}

/** The users who send requests, and the ids that requests can refer to. */
export interface World {
  admin: Person;
  users: Person[];
  logIn(person: Person): Promise<void>;
  /** Values for the fields of an operation: mostly existing ids, and mostly the caller's own. */
  known(operation: { method: string; path: string }, caller: Person | undefined): KnownValues;
  /** Stores the ids, file names and tokens of a response. */
  learn(path: string, caller: Person | undefined, headers: { location?: string | undefined }, body: unknown): void;
}

const USERS = 2;
const PRODUCTS = 5;
const KEPT = 40;
const NO_USER = 999_999_999;
/** How often a login is tried. */
const LOGINS = 10;

interface Known {
  value: unknown;
  owner: number | undefined;
}

/**
 * Registers users through the API at `url` and opens a store with products that every user can buy. The administrator comes
 * from the development data.
 */
export async function openWorld(url: string): Promise<World> {
  const post = async (path: string, json: object, seller?: Person): Promise<Record<string, unknown>> => {
    const { status, body } = await ask(url + path, 'POST', { json, ...(seller ? { token: seller.token } : {}) });
    if (status === undefined || status >= 300) throw new OperatorError(`POST ${path} got ${status ?? 'no response'}`);
    return body;
  };
  const logIn = async (person: Person): Promise<void> => {
    const { email, password } = person;
    for (let attempt = 1; ; attempt += 1) {
      const { status, body } = await ask(`${url}/api/v1/auth/login`, 'POST', { json: { email, password } });
      person.token = String(body.token);
      if (status === 200) return;
      if (status !== 401 || attempt === LOGINS) throw new OperatorError(`login got ${status ?? 'no response'}`);
      // A request with the person's reset token has set another password. It may also supersede this token.
      const { reset_token: token } = await post('/api/v1/auth/forgot-password', { email });
      await ask(`${url}/api/v1/auth/reset-password`, 'POST', { json: { token, password } });
    }
  };
  const newPerson = async (email: string, password: string): Promise<Person> => {
    const person = { email, password, id: 0, token: '' };
    await logIn(person);
    person.id = Number((await ask(`${url}/api/v1/auth/me`, 'GET', { token: person.token })).body.id);
    return person;
  };
  const run = randomUUID().slice(0, 8);
  const users: Person[] = [];
  for (let n = 0; n < USERS; n++) {
    const email = `fuzz-user-${n}-${run}@example.com`;
    const password = 'a good password';
    await post('/api/v1/auth/register', { name: `User ${n}`, email, password, phone: `+${Date.now()}${n}` });
    users.push(await newPerson(email, password));
  }
  const admin = await newPerson('admin@example.com', 'admin123');
  const goods: unknown[] = [];
  for (let n = 1; n <= PRODUCTS; n++) {
    goods.push((await post('/api/v1/products', { name: `Mug ${n}`, price: n, stock: 1_000_000 }, users[0])).id);
  }
  const collections = new Map<string, Known[]>([['users', users.map(({ id }) => ({ value: id, owner: id }))]]);
  const remember = (collection: string, value: unknown, caller: Person | undefined) => {
    const kept = (collections.get(collection) ?? []).slice(0, KEPT - 1);
    collections.set(collection, [{ value, owner: caller?.id }, ...kept]);
  };
  for (const person of [...users, admin]) {
    remember('addresses', (await post('/api/v1/addresses', { address: 'Main Street' }, person)).id, person);
  }
  const existing = (collection: string, caller: Person | undefined, random: Random): unknown => {
    const all = collections.get(collection) ?? [];
    const own = all.filter(({ owner }) => owner === caller?.id);
    const known = own.length > 0 && random.chance(0.7) ? own : all;
    return known.length > 0 && random.chance(0.85) ? random.pick(known).value : undefined;
  };
  const strangerId = (random: Random): unknown => {
    const callers: unknown[] = [admin.id, ...users.map(({ id }) => id)];
    const strangers = (collections.get('users') ?? []).filter(({ value }) => !callers.includes(value));
    return strangers.length > 0 ? random.pick(strangers).value : NO_USER;
  };
  return {
    admin,
    users,
    logIn,
    known:
      ({ method, path }, caller) =>
      (name, random) => {
        // The users who send the requests stay.
        if (method === 'DELETE' && path === '/api/v1/auth/users/{id}' && name === 'id') return strangerId(random);
        // Products of one store. With random stores, an order of several products would hardly ever be valid.
        if (name === 'product_id' && random.chance(0.9)) return random.pick(goods);
        if (name === 'email' && random.chance(0.3)) return random.pick(users).email;
        const collection = name === 'id' ? collectionOf(path) : collectionByField[name];
        return (collection && existing(collection, caller, random)) ?? knownGrammar(name, random);
      },
    learn(path, caller, { location }, body) {
      const id = /\/(\d+)$/.exec(location ?? '')?.[1];
      if (id !== undefined) remember(collectionOf(path), Number(id), caller);
      const { url: fileUrl, refresh_token, reset_token } = (body ?? {}) as Record<string, unknown>;
      if (typeof fileUrl === 'string') remember('files', fileUrl.replace('/uploads/', ''), caller);
      if (refresh_token) remember('refresh_tokens', refresh_token, caller);
      if (reset_token) remember('reset_tokens', reset_token, caller);
    },
  };
}

/** `/api/v1/catalog/products/{id}`: products. */
const collectionOf = (path: string): string =>
  path
    .split('/')
    .filter((part) => part && !part.startsWith('{'))
    .at(-1) ?? '';

const collectionByField: Record<string, string> = {
  store_id: 'stores',
  category_id: 'categories',
  product_id: 'products',
  address_id: 'addresses',
  user_id: 'users',
  filename: 'files',
  refresh_token: 'refresh_tokens',
  token: 'reset_tokens',
};
