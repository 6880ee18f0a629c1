import { runService } from '@shop/core';
import { storeService } from './service';

void runService(storeService);
