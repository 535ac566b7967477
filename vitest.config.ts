import { defineConfig } from 'vitest/config';

const slow = process.env['TEST_SLOW'] === '1';

export default defineConfig({
  test: {
    include: slow ? ['test/**/*.slow.test.ts'] : ['test/**/*.test.ts'],
    exclude: slow ? [] : ['test/**/*.slow.test.ts'],
    testTimeout: slow ? 1_800_000 : 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
});
