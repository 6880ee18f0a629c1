import { rm } from 'node:fs/promises';
import { tearDownAll } from './teardown-list';

export default async function tearDown(): Promise<void> {
  await tearDownAll();
  if (process.env.SHOP_TEST_DIR) await rm(process.env.SHOP_TEST_DIR, { recursive: true, force: true });
}
