import { type Column, decimal, flag, int, nullable, type Sql, statement, text, timestamp } from '@shop/core/db';
import { centsFromDecimal, centsToNumber } from '@shop/shop';

/*
 * Everything that the shop keeps about a user. Reads the tables of all services, so that an export is one answer of one
 * moment.
 */

const amount: Column<number> = { ...decimal, decode: (value: string) => centsToNumber(centsFromDecimal(value)) };

const STORES = statement(
  'export.stores',
  { id: int, name: text, created_at: timestamp },
  'SELECT id, name, created_at FROM stores WHERE user_id = :userId ORDER BY id',
);

const PRODUCTS = statement(
  'export.products',
  {
    id: int,
    store_id: int,
    category_id: nullable(int),
    name: text,
    description: text,
    price: amount,
    stock: int,
    image: nullable(text),
    created_at: timestamp,
  },
  `SELECT p.id, p.store_id, p.category_id, p.name, p.description, p.price, p.stock, p.image, p.created_at
   FROM stores s JOIN products p ON p.store_id = s.id WHERE s.user_id = :userId ORDER BY p.id`,
);

const ADDRESSES = statement(
  'export.addresses',
  { id: int, label: text, address: text, city: text, postal_code: text, created_at: timestamp },
  'SELECT id, label, address, city, postal_code, created_at FROM addresses WHERE user_id = :userId ORDER BY id',
);

const FILES = statement(
  'export.files',
  { filename: text, original_name: text, content_type: text, size: int, created_at: timestamp },
  `SELECT stored_name AS filename, original_name, content_type, size_bytes AS size, created_at
   FROM files WHERE user_id = :userId ORDER BY id`,
);

const TRANSACTIONS = statement(
  'export.transactions',
  {
    id: int,
    store_id: int,
    label: text,
    address: text,
    city: text,
    postal_code: text,
    total: amount,
    status: text,
    created_at: timestamp,
  },
  `SELECT id, store_id, ship_label AS label, ship_address AS address, ship_city AS city, ship_postal_code AS postal_code,
          total, status, created_at
   FROM transactions WHERE user_id = :userId ORDER BY id`,
);

const LOGS = statement(
  'export.logs',
  { transaction_id: int, product_id: int, product_name: text, product_price: amount, quantity: int },
  `SELECT l.transaction_id, l.product_id, l.product_name, l.product_price, l.quantity
   FROM transactions t JOIN product_logs l ON l.transaction_id = t.id WHERE t.user_id = :userId ORDER BY l.id`,
);

const KEYS = statement(
  'export.idempotencyKeys',
  { request: text, key: text, response: nullable(text), created_at: timestamp },
  `SELECT route AS request, idempotency_key AS \`key\`, response, created_at
   FROM idempotency_keys WHERE user_id = :userId ORDER BY created_at`,
);

const SESSIONS = statement(
  'export.sessions',
  { created_at: timestamp, last_used_at: timestamp, ip: nullable(text), user_agent: nullable(text) },
  'SELECT created_at, last_used_at, ip, user_agent FROM sessions WHERE user_id = :userId ORDER BY id',
);

const KNOWN_CLIENTS = statement(
  'export.knownClients',
  { client: text, created_at: timestamp },
  'SELECT client, created_at FROM known_clients WHERE user_id = :userId ORDER BY created_at',
);

/** Without the addresses of administrators, which are not the user's. */
const AUDIT_EVENTS = statement(
  'export.auditEvents',
  { created_at: timestamp, event: text, detail: nullable(text), ip: nullable(text), user_agent: nullable(text) },
  `SELECT created_at, event, detail,
     CASE WHEN actor_id IS NULL OR actor_id = user_id THEN ip END AS ip,
     CASE WHEN actor_id IS NULL OR actor_id = user_id THEN user_agent END AS user_agent
   FROM audit_events WHERE user_id = :userId ORDER BY id`,
);

const ACCOUNT = statement(
  'export.account',
  { has_password: flag, google_linked: flag, second_factor: flag },
  `SELECT password_hash IS NOT NULL AS has_password, google_sub IS NOT NULL AS google_linked,
     EXISTS (SELECT 1 FROM second_factors WHERE user_id = users.id AND confirmed_at IS NOT NULL) AS second_factor
   FROM users WHERE id = :userId`,
);

export async function readExport(sql: Sql, userId: number) {
  return {
    account: await sql.row(ACCOUNT, { userId }),
    stores: await sql.rows(STORES, { userId }),
    products: await sql.rows(PRODUCTS, { userId }),
    addresses: await sql.rows(ADDRESSES, { userId }),
    files: await sql.rows(FILES, { userId }),
    transactions: await sql.rows(TRANSACTIONS, { userId }),
    logs: await sql.rows(LOGS, { userId }),
    sessions: await sql.rows(SESSIONS, { userId }),
    idempotency_keys: await sql.rows(KEYS, { userId }),
    known_clients: await sql.rows(KNOWN_CLIENTS, { userId }),
    audit_events: await sql.rows(AUDIT_EVENTS, { userId }),
  };
}
