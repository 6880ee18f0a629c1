import { runService } from '@shop/core';
import { addressService } from './container';

void runService(addressService);
