import { beforeAll, describe, expect, it } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { groupNames } from './corpus/corpus.js';
import type { Report } from './report/counts.js';
import { describeSurprises, groupOf, surprises } from './report/exceptions.js';
import { expectCurrentCoverage } from './report/expect-current.js';
import { changes, describeChanges } from './report/ratchet.js';
import { formatTable } from './report/table.js';
import { runParity } from './runner.js';

// The error messages are made above the devices: the cpu has them tested.
const groups = groupNames.filter((name) => name !== 'ops_errors');

describe.skipIf(!host.webgpu)('the public corpus on WebGPU', () => {
  let report: Report;
  beforeAll(async () => {
    report = await runParity({ device: 'webgpu', groups });
    console.log(formatTable(report));
  }, 900_000);

  it('passes as many cases as it did', () => {
    const { fallen, risen } = changes(report);
    if (risen.length > 0) {
      console.log(
        `More cases pass than ratchet.json says; keep that with\n  pnpm parity --device webgpu --update-ratchet\n${describeChanges(risen)}`,
      );
    }
    expect(
      describeChanges(fallen),
      'pnpm parity --device webgpu --list-failures names the cases',
    ).toBe('');
  });

  // Where rounding decides, other drivers decide otherwise.
  it.runIf(/swiftshader/i.test(host.webgpu ?? ''))('fails what the exceptions list', () => {
    const found = surprises(report, (e) => groupOf(e) !== 'ops_errors');
    expect(describeSurprises({ ...found, explained: 0 }), 'each failure needs its reason').toBe(
      describeSurprises({ failures: [], passes: [], explained: 0 }),
    );
  });

  it('is what docs/coverage.md says', () => expectCurrentCoverage(report));
});
