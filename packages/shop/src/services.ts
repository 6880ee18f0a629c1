import type { TableRights } from '@shop/core/db';

/** What a service needs in addition to MySQL and Redis: storage for uploads, a mail server, the keys of passwords and second factors, Google's sign-in keys, the key of tokens. */
type Need = 'uploads' | 'mail' | 'passwords' | 'google' | 'private-key';

/** What a pod requests, and its limit. */
interface PodResources {
  cpu: string;
  memory: string;
  memoryLimit: string;
  /** The measurement behind the memory. */
  measured: string;
}

export interface ServiceRow {
  /** For the readers of the deployment files. */
  purpose: string;
  /** The default port. `portVariable` overrides it. */
  port: number;
  portVariable: string;
  /** The gateway routes these paths, and all paths below them, to the service. With a slash at the end: only those below. */
  paths: readonly string[];
  /** The tables that it owns, with the rights that its statements need: its own database user has these and no others. */
  tables: TableRights;
  /** Other services' tables. It accesses them only in files that say so in their first lines. */
  otherTables: TableRights;
  needs: readonly Need[];
  resources: PodResources;
}

export type ServiceTable = Readonly<Record<string, ServiceRow>>;

/** Enough for SELECT ... FOR UPDATE: MySQL demands UPDATE, DELETE or LOCK TABLES, and one column suffices. MariaDB demands nothing. */
const LOCK = 'UPDATE (created_at)';

const usual: PodResources = {
  cpu: '100m',
  memory: '128Mi',
  memoryLimit: '384Mi',
  measured: 'Measured: 100 MiB when idle, at most 126 MiB under load.',
};

const receivesUploads: PodResources = {
  cpu: '100m',
  memory: '192Mi',
  memoryLimit: '256Mi',
  measured: '`npm run bench -- uploads`: at most 171 MiB, with 100 concurrent uploads of 5 MiB.',
};

/**
 * The table of the six services. '@shop/shop/services' loads only this file. The deployment files follow from it: after a
 * change, run `npm run deploy:render`. Names consist of the letters a to z.
 */
export const services = {
  auth: {
    purpose: 'Accounts, sessions, categories. bcrypt uses most of its CPU.',
    port: 8080,
    portVariable: 'AUTH_PORT',
    paths: ['/api/v1/auth', '/api/v1/users', '/api/v1/categories', '/.well-known/jwks.json'],
    tables: {
      users: ['SELECT', 'INSERT', 'UPDATE'],
      sessions: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      refresh_tokens: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      revocations: ['SELECT', 'INSERT', 'DELETE'],
      password_resets: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      mail_quotas: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      known_clients: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      second_factors: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      recovery_codes: ['SELECT', 'INSERT', 'DELETE'],
      mails: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      email_verifications: ['SELECT', 'INSERT', 'DELETE'],
      audit_events: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      categories: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      backups: ['SELECT'],
    },
    otherTables: {
      stores: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      products: ['SELECT', LOCK, 'DELETE'],
      addresses: ['SELECT', 'DELETE'],
      files: ['SELECT', 'DELETE'],
      transactions: ['SELECT'],
      product_logs: ['SELECT'],
      idempotency_keys: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    },
    needs: ['uploads', 'mail', 'passwords', 'google', 'private-key'],
    resources: { ...usual, cpu: '250m' },
  },
  product: {
    purpose: 'Products, their images, the catalog.',
    port: 8081,
    portVariable: 'PRODUCT_PORT',
    paths: ['/api/v1/products', '/api/v1/catalog'],
    tables: {
      products: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
      product_terms: ['SELECT', 'INSERT', 'DELETE'],
      stock_movements: ['INSERT'],
    },
    otherTables: { stores: ['SELECT'], categories: ['REFERENCES'] },
    needs: ['uploads'],
    resources: receivesUploads,
  },
  transaction: {
    purpose: 'Orders and their stock.',
    port: 8082,
    portVariable: 'TRANSACTION_PORT',
    paths: ['/api/v1/transactions'],
    tables: {
      transactions: ['SELECT', 'INSERT', 'UPDATE'],
      product_logs: ['SELECT', 'INSERT', LOCK],
      transaction_status_changes: ['SELECT', 'INSERT'],
      idempotency_keys: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    },
    otherTables: {
      products: ['SELECT', 'UPDATE (stock)'],
      stock_movements: ['SELECT', 'INSERT'],
      stores: ['SELECT'],
      addresses: ['SELECT'],
      users: ['SELECT'],
    },
    needs: [],
    resources: usual,
  },
  address: {
    purpose: "Buyers' addresses.",
    port: 8083,
    portVariable: 'ADDRESS_PORT',
    paths: ['/api/v1/addresses'],
    tables: { addresses: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
    otherTables: { transactions: ['SELECT', LOCK], users: ['REFERENCES'] },
    needs: [],
    resources: usual,
  },
  store: {
    purpose: 'Stores. Deleting a store also deletes its product images.',
    port: 8084,
    portVariable: 'STORE_PORT',
    paths: ['/api/v1/stores'],
    tables: { stores: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
    otherTables: { products: ['SELECT', LOCK], transactions: ['SELECT'], users: ['REFERENCES'] },
    needs: ['uploads'],
    resources: usual,
  },
  file: {
    purpose: 'Uploads.',
    port: 8085,
    portVariable: 'FILE_PORT',
    paths: ['/api/v1/files', '/uploads/'],
    tables: { files: ['SELECT', 'INSERT', 'DELETE'] },
    otherTables: { products: ['SELECT'], users: ['REFERENCES'] },
    needs: ['uploads'],
    resources: receivesUploads,
  },
} as const satisfies ServiceTable;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as ServiceName[];

/** The keys that an operator may set, by what needs them. Every service verifies tokens. */
const optionalKeys: { readonly [need in Need | 'tokens']?: readonly string[] } = {
  tokens: ['JWT_SECRET_NEXT', 'JWT_SECRET_PREVIOUS'],
  'private-key': ['JWT_PRIVATE_KEY'],
  passwords: ['PASSWORD_PEPPER', 'PASSWORD_PEPPER_PREVIOUS', 'FACTOR_KEY', 'FACTOR_KEY_PREVIOUS'],
};

/** The settings with keys that a service reads and that may be empty: secrets, of which no service gets another's. */
export const optionalKeysOf = ({ needs }: Pick<ServiceRow, 'needs'>): string[] =>
  (['tokens', ...needs] as const).flatMap((need) => optionalKeys[need] ?? []);

/** The settings of a database user of its own, such as `AUTH_DB_USER` and `AUTH_DB_PASS`. */
export const loginVariables = (name: string) => ({
  user: `${name.toUpperCase()}_DB_USER`,
  password: `${name.toUpperCase()}_DB_PASS`,
});

/** The login for a service's process, if `env` names a database user of its own. Otherwise it uses DB_USER and DB_PASS as they are. */
export function ownLogin(name: ServiceName, env: Record<string, string | undefined>): Record<string, string> {
  const { user, password } = loginVariables(name);
  const { [user]: ownUser, [password]: value = '', [`${password}_FILE`]: file = '' } = env;
  if (!ownUser) return {};
  return { DB_USER: ownUser, ...(value || file ? { DB_PASS: value, DB_PASS_FILE: file } : {}) };
}
