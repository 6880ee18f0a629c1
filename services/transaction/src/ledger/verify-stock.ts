import type { LedgerRepository, RestockFault, StockAccount, TotalFault } from './ledger.repository';

interface Parts {
  ledger: LedgerRepository;
}

export interface StockReport {
  products: number;
  transactions: number;
  /** Products whose rows do not add up to their stock. */
  mismatches: StockAccount[];
  faults: RestockFault[];
  totals: TotalFault[];
}

/** Short statements, so that a big shop is not held up and no deadline is met. */
const PRODUCTS_AT_ONCE = 200;
const TRANSACTIONS_AT_ONCE = 1000;

export const countFaults = ({ mismatches, faults, totals }: StockReport): number =>
  mismatches.length + faults.length + totals.length;

/** What the stock has to be. */
export const expectedStock = ({ initial, edits, sold, cancelled }: StockAccount): bigint =>
  initial + edits - sold + cancelled;

/**
 * Proves for every product that initial stock and edits, less what was sold, plus what was cancelled, is its stock, and that
 * each cancelled order, and no other, put its lines back once; and that each order's total is the sum of its lines, so that
 * a quantity that was cut on its way into both tables shows. Right while the shop is selling, too.
 */
export const verifyStock =
  ({ ledger }: Parts) =>
  async (): Promise<StockReport> => {
    const report: StockReport = { products: 0, transactions: 0, mismatches: [], faults: [], totals: [] };
    for (let afterId = 0; ; ) {
      const accounts = await ledger.listAccounts(afterId, PRODUCTS_AT_ONCE);
      report.products += accounts.length;
      report.mismatches.push(...accounts.filter((account) => account.stock !== expectedStock(account)));
      const last = accounts.at(-1);
      if (!last) break;
      afterId = last.productId;
    }
    report.transactions = await ledger.lastTransactionId();
    for (let from = 1; from <= report.transactions; from += TRANSACTIONS_AT_ONCE) {
      const to = from + TRANSACTIONS_AT_ONCE - 1;
      report.faults.push(...(await ledger.listRestockFaults(from, to)));
      report.totals.push(...(await ledger.listTotalFaults(from, to)));
    }
    return report;
  };
