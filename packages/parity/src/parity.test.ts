import { beforeAll, describe, expect, it } from 'vitest';
import type { Report } from './report/counts.js';
import { describeSurprises, surprises } from './report/exceptions.js';
import { expectCurrentCoverage } from './report/expect-current.js';
import { changes, describeChanges } from './report/ratchet.js';
import { formatTable } from './report/table.js';
import { runParity } from './runner.js';

describe('the public corpus on the cpu', () => {
  let report: Report;
  beforeAll(async () => {
    report = await runParity({ device: 'cpu' });
    console.log(formatTable(report));
  }, 600_000);

  it('passes as many cases as it did', () => {
    const { fallen, risen } = changes(report);
    if (risen.length > 0) {
      console.log(
        `More cases pass than ratchet.json says; keep that with\n  pnpm parity --update-ratchet\n${describeChanges(risen)}`,
      );
    }
    expect(describeChanges(fallen), 'pnpm parity --list-failures names the cases').toBe('');
  });

  it('fails what exceptions.txt lists, and nothing else', () => {
    const found = surprises(report, () => true);
    expect(describeSurprises({ ...found, explained: 0 }), 'each failure needs its reason').toBe(
      describeSurprises({ failures: [], passes: [], explained: 0 }),
    );
  });

  it('is what docs/coverage.md says', () => expectCurrentCoverage(report));
});
