import { runService } from '@shop/core/service';
import { productService } from './service';

void runService(productService);
