import { runMigrateCommand } from '@shop/core/service';
import { migrationsFolder } from './migrations';

void runMigrateCommand(migrationsFolder);
