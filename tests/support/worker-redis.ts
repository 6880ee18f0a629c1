const ports = (process.env.SHOP_TEST_REDIS_PORTS ?? '').split(',');
process.env.SHOP_TEST_REDIS_PORT = ports[Number(process.env.JEST_WORKER_ID) - 1];
