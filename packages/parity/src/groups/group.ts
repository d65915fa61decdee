import type { Device } from '@sconce/core';
import type { Case, Corpus } from '../corpus/corpus.js';
import type { CaseOutcome } from '../report/counts.js';

/** Where and on what a group runs. */
export interface Run {
  readonly device: Device;
  readonly corpus: Corpus;
}

/** Runs the cases of one group. */
export interface Group {
  /** The operation, module or the like that a case is about, as `--op` and the report name it. */
  subject(test: Case): string;
  run(test: Case, run: Run): Promise<CaseOutcome>;
  /** Whether a case has gradients to check. */
  hasGradient(test: Case): boolean;
}
