import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runParity } from './runner.js';

/** Random indices of every kind read and written by PyTorch 2.15 (scripts/indexing.py): values, views, gradients and errors. */
const corpus = fileURLToPath(new URL('../fixtures/indexing', import.meta.url));

it('indexes at random as PyTorch does', { timeout: 60_000 }, async () => {
  const { failures, groups } = await runParity({ device: 'cpu', corpus });
  expect(failures).toEqual([]);
  expect(groups.indexing?.forward.total).toBe(1200);
});
