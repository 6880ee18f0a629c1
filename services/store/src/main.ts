import { runService } from '@shop/core/service';
import { storeService } from './service';

void runService(storeService);
