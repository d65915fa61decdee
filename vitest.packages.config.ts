import { defineConfig } from 'vitest/config';

// The slow tests of what is published; they want a build first (`npm test` does both).
export default defineConfig({
  test: {
    include: ['scripts/packed/*.test.ts'],
    testTimeout: 120_000,
  },
});
