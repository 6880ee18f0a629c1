import { runService } from '@shop/core';
import { addressService } from './service';

void runService(addressService);
