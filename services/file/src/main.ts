import { runService } from '@shop/core';
import { fileService } from './service';

void runService(fileService);
