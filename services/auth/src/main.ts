import { runService } from '@shop/core';
import { authService } from './container';

void runService(authService);
