import { runService } from '@shop/core';
import { authService } from './service';

void runService(authService);
