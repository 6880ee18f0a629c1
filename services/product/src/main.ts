import { runService } from '@shop/core';
import { productService } from './service';

void runService(productService);
