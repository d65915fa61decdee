import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generate } from './index.mjs';

test('the signatures that calls are held against are those of the types', () => {
  for (const [path, text] of generate()) {
    expect(readFileSync(path, 'utf8') === text, `${path} is stale; run pnpm signatures`).toBe(true);
  }
}, 120_000);
