import type { Sql } from '@shop/core/db';
import {
  lastOrderId,
  listAccounts,
  listRestockFaults,
  listTotalFaults,
  type RestockFault,
  type StockAccount,
  type TotalFault,
} from './ledger.sql';

export interface StockReport {
  products: number;
  orders: number;
  /** Products whose movements do not add up to their stock. */
  mismatches: StockAccount[];
  restockFaults: RestockFault[];
  totalFaults: TotalFault[];
}

/** Batch sizes that keep each statement short: it meets its deadline in a big shop and blocks no one. */
const PRODUCTS_PER_BATCH = 200;
const ORDERS_PER_BATCH = 1000;

export const countFaults = ({ mismatches, restockFaults, totalFaults }: StockReport): number =>
  mismatches.length + restockFaults.length + totalFaults.length;

export const expectedStock = ({ initial, edits, sold, cancelled }: StockAccount): bigint =>
  initial + edits - sold + cancelled;

/**
 * Checks for every product that its stock is what it started with, plus edits, minus sales, plus cancellations. Checks for
 * every order that its lines were restocked once if it was cancelled and never otherwise, and that its total is the sum of
 * its lines (which finds a quantity that was truncated in both tables). The result is also correct during checkouts.
 */
export async function verifyStock(sql: Sql): Promise<StockReport> {
  const report: StockReport = { products: 0, orders: 0, mismatches: [], restockFaults: [], totalFaults: [] };
  for (let afterId = 0; ; ) {
    const accounts = await listAccounts(sql, afterId, PRODUCTS_PER_BATCH);
    report.products += accounts.length;
    report.mismatches.push(...accounts.filter((account) => account.stock !== expectedStock(account)));
    const last = accounts.at(-1);
    if (!last) break;
    afterId = last.productId;
  }
  report.orders = await lastOrderId(sql);
  for (let from = 1; from <= report.orders; from += ORDERS_PER_BATCH) {
    const to = from + ORDERS_PER_BATCH - 1;
    report.restockFaults.push(...(await listRestockFaults(sql, from, to)));
    report.totalFaults.push(...(await listTotalFaults(sql, from, to)));
  }
  return report;
}
