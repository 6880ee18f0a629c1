import { runService } from '@shop/core';
import { productService } from './container';

void runService(productService);
