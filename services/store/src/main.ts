import { runService } from '@shop/core';
import { storeService } from './container';

void runService(storeService);
