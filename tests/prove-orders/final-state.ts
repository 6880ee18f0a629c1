import { type DatabaseSettings, withConnection } from '@shop/test-servers';
import type { RowDataPacket } from 'mysql2/promise';
import type { Evidence } from './evidence';

const TIMEOUT_MS = 120_000;
const cents = (decimal: unknown): bigint => BigInt(String(decimal).replace('.', ''));
const group = <T>(rows: RowDataPacket[], key: string, map: (row: RowDataPacket) => T): Map<number, T[]> => {
  const groups = new Map<number, T[]>();
  for (const row of rows) groups.set(row[key], [...(groups.get(row[key]) ?? []), map(row)]);
  return groups;
};

/** Reads the tables directly, not through the services. */
export const readFinalState = (settings: DatabaseSettings): Promise<Omit<Evidence, 'operations'>> =>
  withConnection(settings, TIMEOUT_MS, async (connection) => {
    const rows = async (statement: string) => (await connection.query<RowDataPacket[]>(statement))[0];
    const lines = group(
      await rows('SELECT transaction_id, product_id, quantity, product_price FROM product_logs ORDER BY id'),
      'transaction_id',
      (row) => ({ productId: row.product_id, quantity: row.quantity, priceCents: cents(row.product_price) }),
    );
    const history = group(
      await rows('SELECT transaction_id, from_status, to_status FROM transaction_status_changes ORDER BY id'),
      'transaction_id',
      (row) => ({ from: row.from_status, to: row.to_status }),
    );
    const orders = (await rows('SELECT id, user_id, status, total FROM transactions ORDER BY id')).map((row) => ({
      id: row.id,
      buyerId: row.user_id,
      status: row.status,
      totalCents: cents(row.total),
      lines: lines.get(row.id) ?? [],
      history: history.get(row.id) ?? [],
    }));
    const keys = await rows('SELECT user_id, idempotency_key, transaction_id FROM idempotency_keys');
    const sum = (reason: string) =>
      `(SELECT COALESCE(SUM(quantity), 0) FROM stock_movements WHERE product_id = p.id AND reason = '${reason}')`;
    const accounts = await rows(
      `SELECT p.id, p.stock, ${sum('initial')} AS initial, ${sum('edit')} AS edits, ${sum('cancellation')} AS cancelled,
              (SELECT COALESCE(SUM(quantity), 0) FROM product_logs WHERE product_id = p.id) AS sold
       FROM products p`,
    );
    const faults = await rows(
      `SELECT t.id, t.status, l.product_id, l.quantity, COALESCE(m.quantity, 0) AS restocked
       FROM transactions t JOIN product_logs l ON l.transaction_id = t.id
       LEFT JOIN stock_movements m ON m.transaction_id = t.id AND m.product_id = l.product_id
       WHERE COALESCE(m.quantity, 0) <> IF(t.status = 'cancelled', l.quantity, 0)`,
    );
    return {
      orders,
      keys: new Map(keys.map((row) => [`${row.user_id} ${row.idempotency_key}`, row.transaction_id])),
      accounts: accounts.map(({ id, stock, initial, edits, cancelled, sold }) => ({
        productId: id,
        stock: BigInt(stock),
        initial: BigInt(initial),
        edits: BigInt(edits),
        cancelled: BigInt(cancelled),
        sold: BigInt(sold),
      })),
      restockFaults: faults.map(
        ({ id, status, product_id, quantity, restocked }) =>
          `order ${id} (${status}): ${restocked} of ${quantity} of product ${product_id} were restocked`,
      ),
    };
  });
