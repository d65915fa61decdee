import type { Fixture } from './fixture.js';
import type { Limits } from './limits.js';
import { linalgTests } from './linalg-tests.js';
import { castTests, mapTests } from './map-tests.js';
import { convTests, matmulTests, scatterTests, sortTests } from './operand-tests.js';
import { reduceTests, scanTests } from './reduce-tests.js';

/** Every primitive on small cases with results by hand. */
export function primitiveTests(fixture: Fixture, limits: Limits): void {
  const wide = fixture.supports('int64') && limits.int64Bits === 64;
  mapTests(fixture);
  castTests(fixture, wide);
  reduceTests(fixture, wide);
  scanTests(fixture);
  matmulTests(fixture);
  convTests(fixture);
  scatterTests(fixture);
  sortTests(fixture);
  linalgTests(fixture);
}
