import { runMigrateCommand } from '@shop/migrations';
import { migrationsFolder } from './migrations';

void runMigrateCommand(migrationsFolder);
