import { runService } from '@shop/core';
import { transactionService } from './container';

void runService(transactionService);
