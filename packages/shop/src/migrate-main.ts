import { runMigrateCommand } from '@shop/migrations';
import { databaseUsers } from './database-users';
import { migrationsFolder } from './migrations';

void runMigrateCommand({ folder: migrationsFolder, databaseUsers });
