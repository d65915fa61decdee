import { describe, expect, it } from 'vitest';
import { changes, describeChanges } from './report/ratchet.js';
import { formatTable } from './report/table.js';
import { runParity } from './runner.js';

describe('the public corpus on the cpu', () => {
  it('passes as many cases as it did', { timeout: 240_000 }, async () => {
    const report = await runParity({ device: 'cpu' });
    console.log(formatTable(report));
    const { fallen, risen } = changes(report);
    if (risen.length > 0) {
      console.log(
        `More cases pass than ratchet.json says; keep that with\n  pnpm parity --update-ratchet\n${describeChanges(risen)}`,
      );
    }
    expect(describeChanges(fallen), 'pnpm parity --list-failures names the cases').toBe('');
  });
});
