/** What became of the cases of a group in one direction. */
export interface Counts {
  passed: number;
  /** Those outside the tolerance by what rounding makes of them; no part of `passed`. */
  rounding: number;
  failed: number;
  notImplemented: number;
  /** Those that need what the device does not hold: float64, integers of 64 bits, PyTorch's random numbers. */
  unheld: number;
  total: number;
}

export type Direction = 'forward' | 'gradient';

/** A case that did not pass, or that rounding put outside the tolerance, and why. */
export interface Failure {
  readonly group: string;
  readonly op: string;
  readonly case: string;
  readonly kind: Direction;
  /**
   * What differs or was raised; begins with `not implemented: ` where a feature is absent, and with `needs float64: ` and
   * the like where the device cannot hold what the case is about.
   */
  readonly reason: string;
}

/** The cases of one operator in one direction. */
export interface OperatorCounts {
  passed: number;
  rounding: number;
  total: number;
  /** Those of `total` that need what the device does not hold. */
  unheld: number;
}

/** What became of the cases of one operator. */
export interface OperatorReport extends Record<Direction, OperatorCounts> {
  /** Whether a case had values of the device read before its result was there. */
  readsValues: boolean;
}

/** The report, as `--report` writes it. */
export interface Report {
  readonly device: string;
  readonly groups: Record<string, Record<Direction, Counts>>;
  /** The same by the dtype the cases are about, over the groups that say it. */
  readonly dtypes: Record<string, Record<Direction, Counts>>;
  /** By operator, over the groups of single calls that compare results. */
  readonly operators: Record<string, OperatorReport>;
  readonly failures: Failure[];
  /** What rounding put outside the tolerance. */
  readonly roundings: Failure[];
}

/** What became of one case in one direction. */
export type Outcome =
  | { readonly status: 'passed' }
  | {
      readonly status: 'rounding' | 'failed' | 'notImplemented' | 'unheld';
      readonly reason: string;
    };

export const passed: Outcome = { status: 'passed' };
/** @param reason by how much the result is outside the tolerance. */
export const rounding = (reason: string): Outcome => ({ status: 'rounding', reason });
export const failed = (reason: string): Outcome => ({ status: 'failed', reason });
export const notImplemented = (reason: string): Outcome => ({ status: 'notImplemented', reason });

/** @param needs what the device does not hold. */
export const unheld = (needs: string, reason: string): Outcome => ({
  status: 'unheld',
  reason: `needs ${needs}: ${reason}`,
});

/** The outcomes of one case; `gradient` is absent where there is none to check. */
export interface CaseOutcome {
  readonly op: string;
  readonly forward?: Outcome;
  readonly gradient?: Outcome;
  /** Whether values of the device had to be read for the result to be known. */
  readonly readsValues?: boolean;
}

/** Cases that are as PyTorch's, but for rounding at most. */
export const right = ({ passed, rounding }: { passed: number; rounding: number }): number =>
  passed + rounding;

export const noCounts = (): Counts => ({
  passed: 0,
  rounding: 0,
  failed: 0,
  notImplemented: 0,
  unheld: 0,
  total: 0,
});

/** Adds an outcome to counts. */
export function count(counts: Record<Direction, Counts>, { forward, gradient }: CaseOutcome): void {
  for (const [direction, outcome] of [
    ['forward', forward],
    ['gradient', gradient],
  ] as const) {
    if (!outcome) continue;
    counts[direction].total++;
    counts[direction][outcome.status]++;
  }
}

/** Groups whose cases are single calls of an operator with a result. */
const operatorGroups: ReadonlySet<string> = new Set(['ops', 'ops_ref', 'ops_extra']);

/** Adds a case to the counts of its operator. */
export function countOperator(report: Report, group: string, outcome: CaseOutcome): void {
  if (!operatorGroups.has(group)) return;
  const none = (): OperatorCounts => ({ passed: 0, rounding: 0, total: 0, unheld: 0 });
  report.operators[outcome.op] ??= { forward: none(), gradient: none(), readsValues: false };
  const own = report.operators[outcome.op] as OperatorReport;
  own.readsValues ||= outcome.readsValues ?? false;
  for (const direction of ['forward', 'gradient'] as const) {
    const result = outcome[direction];
    if (!result) continue;
    own[direction].total++;
    const { status } = result;
    if (status === 'passed' || status === 'rounding' || status === 'unheld') {
      own[direction][status]++;
    }
  }
}
