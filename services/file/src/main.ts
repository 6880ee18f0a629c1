import { runService } from '@shop/core/service';
import { fileService } from './service';

void runService(fileService);
