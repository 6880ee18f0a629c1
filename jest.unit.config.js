/** The tests that need no server: `*.unit.test.ts`. */
const { globalSetup, globalTeardown, setupFiles, setupFilesAfterEnv, ...base } = require('./jest.config.js');

// A database on the developer's machine must not let a test pass here that needs one.
const none = 'unit-tests-have-no-server.invalid';
Object.assign(process.env, { SHOP_TEST_DB_HOST: none, SHOP_TEST_REDIS_PORT: '', SHOP_TEST_DIR: '' });

module.exports = { ...base, testMatch: ['**/*.unit.test.ts'] };
