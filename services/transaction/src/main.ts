import { runService } from '@shop/core';
import { transactionService } from './service';

void runService(transactionService);
