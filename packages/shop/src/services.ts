/** What a service needs in addition to MySQL and Redis: storage for uploads, a mail server, the pepper of passwords, Google's sign-in keys, the key of tokens. */
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
  /** The tables that it owns. Another service accesses them only in a file that says so in its first lines. */
  tables: readonly string[];
  needs: readonly Need[];
  resources: PodResources;
}

export type ServiceTable = Readonly<Record<string, ServiceRow>>;

const usual: PodResources = {
  cpu: '100m',
  memory: '128Mi',
  memoryLimit: '384Mi',
  measured: 'Measured: 75 to 120 MiB under load.',
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
    tables: [
      'users',
      'sessions',
      'refresh_tokens',
      'revocations',
      'password_resets',
      'mail_quotas',
      'known_clients',
      'mails',
      'email_verifications',
      'audit_events',
      'categories',
      'backups',
    ],
    needs: ['uploads', 'mail', 'passwords', 'google', 'private-key'],
    resources: { ...usual, cpu: '250m' },
  },
  product: {
    purpose: 'Products, their images, the catalog.',
    port: 8081,
    portVariable: 'PRODUCT_PORT',
    paths: ['/api/v1/products', '/api/v1/catalog'],
    tables: ['products', 'stock_movements'],
    needs: ['uploads'],
    resources: receivesUploads,
  },
  transaction: {
    purpose: 'Orders and their stock.',
    port: 8082,
    portVariable: 'TRANSACTION_PORT',
    paths: ['/api/v1/transactions'],
    tables: ['transactions', 'product_logs', 'transaction_status_changes', 'idempotency_keys'],
    needs: [],
    resources: usual,
  },
  address: {
    purpose: "Buyers' addresses.",
    port: 8083,
    portVariable: 'ADDRESS_PORT',
    paths: ['/api/v1/addresses'],
    tables: ['addresses'],
    needs: [],
    resources: usual,
  },
  store: {
    purpose: 'Stores. Deleting a store also deletes its product images.',
    port: 8084,
    portVariable: 'STORE_PORT',
    paths: ['/api/v1/stores'],
    tables: ['stores'],
    needs: ['uploads'],
    resources: usual,
  },
  file: {
    purpose: 'Uploads.',
    port: 8085,
    portVariable: 'FILE_PORT',
    paths: ['/api/v1/files', '/uploads/'],
    tables: ['files'],
    needs: ['uploads'],
    resources: receivesUploads,
  },
} as const satisfies ServiceTable;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as ServiceName[];
