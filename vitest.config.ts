import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));

// Tests run from source: every package of the workspace is its `src/index.ts`.
const alias = readdirSync(`${root}packages`).map((folder) => ({
  find: new RegExp(folder === 'sconce' ? '^sconce$' : `^@sconce/${folder}$`),
  replacement: `${root}packages/${folder}/src/index.ts`,
}));
// The row operators alone are another entry of core.
alias.push({
  find: /^@sconce\/core\/operators$/,
  replacement: `${root}packages/core/src/operators.ts`,
});
// What examples share with each other.
alias.push({
  find: /^@sconce-examples\/([^/]+)\/(.+)$/,
  replacement: `${root}examples/$1/src/$2.ts`,
});

export default defineConfig({
  resolve: { alias },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'examples/*/src/**/*.test.ts',
      'bench/src/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', 'scripts/packed/**', 'scripts/rehearsal/**'],
    globalSetup: ['scripts/testing/setup.ts'],
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
