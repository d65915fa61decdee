import type { Device } from '@sconce/core';
import type { Case, Corpus } from '../corpus/corpus.js';
import type { CaseOutcome } from '../report/counts.js';
import type { Check } from '../rounding/observations.js';
import type { Variant } from '../rounding/variants.js';

/** Where and on what a group runs. */
export interface Run {
  readonly device: Device;
  readonly corpus: Corpus;
  /** Notes what a case gave beside what PyTorch gave; they are compared when the case has ended. */
  readonly check: Check;
  /** Set where a case runs once more, with other inputs, to tell what rounding makes of it. */
  readonly variant?: Variant;
}

/** Runs the cases of one group. */
export interface Group {
  /** The operation, module or the like that a case is about, as `--op` and the report name it. */
  subject(test: Case): string;
  /** Whether a case passes as far as `run.check` was not told of it. */
  run(test: Case, run: Run): Promise<CaseOutcome>;
  /** Whether a case has gradients to check. */
  hasGradient(test: Case): boolean;
  /**
   * How rounding is told from a wrong result: by a run in float64, or, where small differences grow from step to step, by runs whose
   * inputs are an ulp away. Absent where results have to be PyTorch's as they are.
   */
  rounding?(test: Case): 'float64' | 'nudged';
}
