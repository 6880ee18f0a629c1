import { runService } from '@shop/core/service';
import { addressService } from './service';

void runService(addressService);
