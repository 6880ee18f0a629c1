interface ServiceRow {
  /** The default port. `portVariable` overrides it. */
  port: number;
  portVariable: string;
  /** The gateway routes these paths, and all paths below them, to the service. */
  paths: readonly string[];
  /** The tables that it owns. Another service accesses them only in a file that says so in its first lines. */
  tables: readonly string[];
}

/** The table of the six services. '@shop/shop/services' loads only this file. */
export const services = {
  auth: {
    port: 8080,
    portVariable: 'AUTH_PORT',
    paths: ['/api/v1/auth', '/api/v1/users', '/api/v1/categories'],
    tables: ['users', 'refresh_tokens', 'password_resets', 'mail_quotas', 'categories'],
  },
  product: {
    port: 8081,
    portVariable: 'PRODUCT_PORT',
    paths: ['/api/v1/products', '/api/v1/catalog'],
    tables: ['products', 'stock_movements'],
  },
  transaction: {
    port: 8082,
    portVariable: 'TRANSACTION_PORT',
    paths: ['/api/v1/transactions'],
    tables: ['transactions', 'product_logs', 'transaction_status_changes', 'idempotency_keys'],
  },
  address: {
    port: 8083,
    portVariable: 'ADDRESS_PORT',
    paths: ['/api/v1/addresses'],
    tables: ['addresses'],
  },
  store: {
    port: 8084,
    portVariable: 'STORE_PORT',
    paths: ['/api/v1/stores'],
    tables: ['stores'],
  },
  file: {
    port: 8085,
    portVariable: 'FILE_PORT',
    paths: ['/api/v1/files', '/uploads'],
    tables: ['files'],
  },
} as const satisfies Record<string, ServiceRow>;

export type ServiceName = keyof typeof services;

export const serviceNames = Object.keys(services) as ServiceName[];
