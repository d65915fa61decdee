/** What became of the cases of a group in one direction. */
export interface Counts {
  passed: number;
  failed: number;
  notImplemented: number;
  total: number;
}

export type Direction = 'forward' | 'gradient';

/** A case that did not pass, and why. */
export interface Failure {
  readonly group: string;
  readonly op: string;
  readonly case: string;
  readonly kind: Direction;
  /** What differs or was raised; begins with `not implemented: ` where a feature is absent. */
  readonly reason: string;
}

/** The cases of one operator in one direction. */
export interface OperatorCounts {
  passed: number;
  total: number;
  /** Those of `total` that did not run, their dtype being one the device does not hold. */
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
  /** By operator, over the groups of single calls that compare results. */
  readonly operators: Record<string, OperatorReport>;
  readonly failures: Failure[];
}

/** What became of one case in one direction. */
export type Outcome =
  | { readonly status: 'passed' }
  | { readonly status: 'failed' | 'notImplemented'; readonly reason: string };

export const passed: Outcome = { status: 'passed' };
export const failed = (reason: string): Outcome => ({ status: 'failed', reason });
export const notImplemented = (reason: string): Outcome => ({ status: 'notImplemented', reason });

/** The outcomes of one case; `gradient` is absent where there is none to check. */
export interface CaseOutcome {
  readonly op: string;
  readonly forward?: Outcome;
  readonly gradient?: Outcome;
  /** Whether values of the device had to be read for the result to be known. */
  readonly readsValues?: boolean;
}

export const noCounts = (): Counts => ({ passed: 0, failed: 0, notImplemented: 0, total: 0 });

/** Groups whose cases are single calls of an operator with a result. */
const operatorGroups: ReadonlySet<string> = new Set(['ops', 'ops_ref', 'ops_extra']);

/** Adds a case to the counts of its operator. */
export function countOperator(report: Report, group: string, outcome: CaseOutcome): void {
  if (!operatorGroups.has(group)) return;
  const none = (): OperatorCounts => ({ passed: 0, total: 0, unheld: 0 });
  report.operators[outcome.op] ??= { forward: none(), gradient: none(), readsValues: false };
  const own = report.operators[outcome.op] as OperatorReport;
  own.readsValues ||= outcome.readsValues ?? false;
  for (const direction of ['forward', 'gradient'] as const) {
    const result = outcome[direction];
    if (!result) continue;
    own[direction].total++;
    if (result.status === 'passed') own[direction].passed++;
    else if (/has no float64/.test(result.reason)) own[direction].unheld++;
  }
}
