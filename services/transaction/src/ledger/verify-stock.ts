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
  /** Products whose rows do not add up to their stock. */
  mismatches: StockAccount[];
  restockFaults: RestockFault[];
  totalFaults: TotalFault[];
}

/** Keeps each statement short, so that it meets its deadline in a big shop and holds up nobody. */
const PRODUCTS_AT_ONCE = 200;
const ORDERS_AT_ONCE = 1000;

export const countFaults = ({ mismatches, restockFaults, totalFaults }: StockReport): number =>
  mismatches.length + restockFaults.length + totalFaults.length;

/** What the stock has to be. */
export const expectedStock = ({ initial, edits, sold, cancelled }: StockAccount): bigint =>
  initial + edits - sold + cancelled;

/**
 * Checks for every product that its stock is what it started with, plus edits, minus sales, plus cancellations. Checks for
 * every order that its lines were put back once if it was cancelled and never otherwise, and that its total is the sum of
 * its lines: a quantity that was cut on its way into both tables shows there. The result is right while the shop sells, too.
 */
export async function verifyStock(sql: Sql): Promise<StockReport> {
  const report: StockReport = { products: 0, orders: 0, mismatches: [], restockFaults: [], totalFaults: [] };
  for (let afterId = 0; ; ) {
    const accounts = await listAccounts(sql, afterId, PRODUCTS_AT_ONCE);
    report.products += accounts.length;
    report.mismatches.push(...accounts.filter((account) => account.stock !== expectedStock(account)));
    const last = accounts.at(-1);
    if (!last) break;
    afterId = last.productId;
  }
  report.orders = await lastOrderId(sql);
  for (let from = 1; from <= report.orders; from += ORDERS_AT_ONCE) {
    const to = from + ORDERS_AT_ONCE - 1;
    report.restockFaults.push(...(await listRestockFaults(sql, from, to)));
    report.totalFaults.push(...(await listTotalFaults(sql, from, to)));
  }
  return report;
}
