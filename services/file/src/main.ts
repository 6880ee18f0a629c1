import { runService } from '@shop/core';
import { fileService } from './container';

void runService(fileService);
