const { readdirSync } = require('node:fs');

/** Source runs straight from TypeScript; packages resolve to their sources, so no build can be stale. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/packages', '<rootDir>/services', '<rootDir>/tools', '<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.(ts|js)$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'commonjs' } },
    ],
  },
  // These are ES modules, which jest cannot import.
  transformIgnorePatterns: ['/node_modules/(?!(age-encryption|@noble|@scure|marked)/)'],
  moduleNameMapper: {
    '^@shop/testing$': '<rootDir>/tests/support/index.ts',
    '^@shop/(client|migrations|shop|test-servers)$': '<rootDir>/packages/$1/src/index.ts',
    '^@shop/backup/settings$': '<rootDir>/tools/backup/src/settings.ts',
    '^@shop/(dev|docs)$': '<rootDir>/tools/$1/src/index.ts',
    '^@shop/(journey|prove-orders|fuzz)$': '<rootDir>/tests/$1/index.ts',
    '^@shop/shop/services$': '<rootDir>/packages/shop/src/services.ts',
    '^@shop/core/(\\w[\\w-]*)$': '<rootDir>/packages/core/src/$1/index.ts',
    [`^@shop/(${readdirSync(`${__dirname}/services`).join('|')})$`]: '<rootDir>/services/$1/src/service.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  globalSetup: '<rootDir>/tests/support/global-setup.ts',
  globalTeardown: '<rootDir>/tests/support/global-teardown.ts',
  setupFiles: ['<rootDir>/tests/support/worker-redis.ts'],
  setupFilesAfterEnv: ['<rootDir>/tests/support/each-file.ts'],
  // Far more than any test needs, so that a busy machine makes a test slow and not red.
  testTimeout: 300_000,
  maxWorkers: 2,
};
