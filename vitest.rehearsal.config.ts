import { defineConfig } from 'vitest/config';

// The rehearsal of a release; it needs a registry of npm's packages to pass on.
export default defineConfig({
  test: {
    globalSetup: ['scripts/testing/setup.ts'],
    include: ['scripts/rehearsal/*.test.ts'],
    testTimeout: 200_000,
  },
});
