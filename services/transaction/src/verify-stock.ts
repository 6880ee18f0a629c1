import { runCommand } from '@shop/core';
import { z } from 'zod';
import { ledgerRepository } from './ledger/ledger.repository';
import { expectedStock, verifyStock } from './ledger/verify-stock';

/** `npm run verify:stock`: prints what does not add up; exit code 1 where anything does not. */
void runCommand({
  name: 'verify-stock',
  portKey: 'TRANSACTION_PORT',
  settings: z.object({}),
  async work({ db }) {
    const say = (line: string) => process.stdout.write(`${line}\n`);
    const { products, transactions, mismatches, faults } = await verifyStock({ ledger: ledgerRepository(db) })();
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
    const wrong = mismatches.length + faults.length;
    say(
      `${products} products, ${transactions} transactions: ${wrong === 0 ? 'all stock adds up' : `${wrong} do not add up`}`,
    );
    if (wrong > 0) process.exitCode = 1;
  },
});
