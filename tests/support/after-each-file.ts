import { closeTestDatabase } from './test-database';

afterAll(closeTestDatabase);
