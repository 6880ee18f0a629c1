/**
 * The Go original of this shop, measured on 2026-11-26 with 16 clients on a quiet machine with two cores. It cannot run here. It logs
 * nothing, checks no responses, does not ask Redis for its limit, and its list of transactions was repaired for this.
 * Per request: milliseconds of CPU time of the service and of the database.
 */
export const MEASURED = '2026-11-26, two cores';

export const goOriginal = {
  register: { service: 60.56, database: 1.84 },
  login: { service: 59.53, database: 1.26 },
  'categories list': { service: 0.14, database: 0.14 },
  'products list, hit': { service: 0.91, database: 1.53 },
  'products list, miss': { service: 0.88, database: 1.6 },
  'product by id': { service: 0.19, database: 0.21 },
  'product create': { service: 0.46, database: 0.55 },
  'product update': { service: 0.32, database: 0.35 },
  'product delete': { service: 0.34, database: 0.42 },
  'address create': { service: 0.14, database: 0.14 },
  'addresses list': { service: 0.26, database: 0.27 },
  'address by id': { service: 0.1, database: 0.1 },
  'address update': { service: 0.24, database: 0.32 },
  'address delete': { service: 0.23, database: 0.3 },
  'transaction, 1 item': { service: 0.52, database: 0.66 },
  'transaction, 5 items': { service: 1.56, database: 2.01 },
  'transactions list': { service: 0.4, database: 1.33 },
  'transaction by id': { service: 0.21, database: 0.2 },
  'store create': { service: 0.21, database: 0.29 },
  'store by id': { service: 0.1, database: 0.09 },
  'store update': { service: 0.21, database: 0.29 },
  'store delete': { service: 0.19, database: 0.26 },
  'upload 4 KB PNG': { service: 0.23, database: 0 },
};
