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

/** The report, as `--report` writes it. */
export interface Report {
  readonly device: string;
  readonly groups: Record<string, Record<Direction, Counts>>;
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
}

export const noCounts = (): Counts => ({ passed: 0, failed: 0, notImplemented: 0, total: 0 });
