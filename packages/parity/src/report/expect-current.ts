import { expect } from 'vitest';
import type { Report } from './counts.js';
import { staleness } from './coverage.js';

const command =
  'pnpm parity --device cpu --device webgpu --coverage brings docs/coverage.md up to date';

/**
 * The page of coverage says what a run has found. Where counts have only risen since it was written, that fails in CI alone: work goes on
 * until the page is written anew.
 */
export function expectCurrentCoverage(report: Report): void {
  const { changed, fallen, risen, lost, gained } = staleness(report);
  const strict = process.env.CI !== undefined;
  const better = [...changed, ...risen];
  if (better.length > 0 && !strict) console.log(`${command}:\n${better.slice(0, 20).join('\n')}`);
  expect(lost > 0 ? fallen.join('\n') : '', command).toBe('');
  if (!strict) return;
  expect(changed.join('\n'), command).toBe('');
  expect(gained > 0 ? risen.join('\n') : '', command).toBe('');
}
