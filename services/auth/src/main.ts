import { runService } from '@shop/core/service';
import { authService } from './service';

void runService(authService);
