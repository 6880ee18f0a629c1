import { centsToDecimal, runCommand } from '@shop/core';
import { z } from 'zod';
import { ledgerRepository } from './ledger/ledger.repository';
import { countFaults, expectedStock, verifyStock } from './ledger/verify-stock';

/** `npm run verify:stock`: prints what does not add up; exit code 1 where anything does not. */
void runCommand({
  name: 'verify-stock',
  portKey: 'TRANSACTION_PORT',
  settings: z.object({}),
  async work({ db }) {
    const say = (line: string) => process.stdout.write(`${line}\n`);
    const report = await verifyStock({ ledger: ledgerRepository(db) })();
    const { products, transactions, mismatches, faults, totals } = report;
    for (const account of mismatches) {
      const { productId, name, stock, initial, edits, sold, cancelled } = account;
      say(
        `product ${productId} (${name}): initial ${initial} + edits ${edits} - sold ${sold} + cancelled ${cancelled} = ` +
          `${expectedStock(account)}, but its stock is ${stock}`,
      );
    }
    for (const { transactionId, productId, status, quantity, restocked } of faults) {
      say(
        `transaction ${transactionId} (${status}): ${restocked} of ${quantity} of product ${productId} went back to stock`,
      );
    }
    for (const { transactionId, total, lines } of totals) {
      say(
        `transaction ${transactionId}: its total is ${centsToDecimal(total)}, but its lines come to ${centsToDecimal(lines)}`,
      );
    }
    const wrong = countFaults(report);
    say(
      `${products} products, ${transactions} transactions: ${wrong === 0 ? 'all stock adds up' : `${wrong} do not add up`}`,
    );
    if (wrong > 0) process.exitCode = 1;
  },
});
