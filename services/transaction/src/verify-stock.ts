import { runCommand } from '@shop/core/service';
import { centsToDecimal, inShop } from '@shop/shop';
import { z } from 'zod';
import { countFaults, expectedStock, type StockReport, verifyStock } from './ledger/verify-stock';

/** `npm run verify:stock`: prints every mismatch. Exits with 1 if there is one. */
void runCommand({
  ...inShop('transaction'),
  name: 'verify-stock',
  settings: z.object({}),
  async work({ db }) {
    const report = await verifyStock(db);
    process.stdout.write(`${describe(report).join('\n')}\n`);
    if (countFaults(report) > 0) process.exitCode = 1;
  },
});

function describe(report: StockReport): string[] {
  const { products, orders, mismatches, restockFaults, totalFaults } = report;
  const faults = countFaults(report);
  return [
    ...mismatches.map((account) => {
      const { productId, name, stock, initial, edits, sold, cancelled } = account;
      const sum = `initial ${initial} + edits ${edits} - sold ${sold} + cancelled ${cancelled} = ${expectedStock(account)}`;
      return `product ${productId} (${name}): ${sum}, but its stock is ${stock}`;
    }),
    ...restockFaults.map(
      ({ transactionId, productId, status, quantity, restocked }) =>
        `transaction ${transactionId} (${status}): ${restocked} of ${quantity} of product ${productId} went back to stock`,
    ),
    ...totalFaults.map(
      ({ transactionId, total, lineTotal }) =>
        `transaction ${transactionId}: its total is ${centsToDecimal(total)}, but its lines come to ${centsToDecimal(lineTotal)}`,
    ),
    `${products} products, ${orders} transactions: ${faults === 0 ? 'all stock adds up' : `${faults} do not add up`}`,
  ];
}
