import { runService } from '@shop/core/service';
import { transactionService } from './service';

void runService(transactionService);
