/** Placeholder until @shop/fleet starts the suite's servers. */
export default async function setUp(): Promise<void> {
  process.env.SHOP_TEST_DB_HOST ??= '127.0.0.1';
  process.env.SHOP_TEST_DB_PORT ??= '3399';
  process.env.SHOP_TEST_DB_USER ??= 'user';
  process.env.SHOP_TEST_DB_PASS ??= 'password';
  process.env.SHOP_TEST_DB_NAME ??= 'ecommerce';
  process.env.SHOP_TEST_REDIS_PORT ??= '6399';
  process.env.SHOP_TEST_UPLOADS ??= '/tmp/shop-test-uploads';
}
