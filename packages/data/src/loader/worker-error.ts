import { RuntimeError } from '@sconce/core';

/** An error as it travels between threads. */
export interface ErrorReport {
  name: string;
  message: string;
  stack: string | undefined;
  /** The sample it happened at, where that is known. */
  index: number | undefined;
}

/** What to send of something that was thrown. */
export function reportOf(error: unknown, index?: number): ErrorReport {
  if (error instanceof Error)
    return { name: error.name, message: error.message, stack: error.stack, index };
  return { name: 'Error', message: String(error), stack: undefined, index };
}

/** An error of a worker of a `DataLoader`: one that it threw (then `cause`, with its own stack), or its end. */
export class DataWorkerError extends RuntimeError {
  override name = 'DataWorkerError';
  /** Which worker. */
  readonly workerId: number;
  /** The index of the sample it happened at, where that is known. */
  readonly index: number | undefined;

  constructor(workerId: number, what: string, report?: ErrorReport) {
    const at = report?.index === undefined ? '' : ` at index ${report.index}`;
    const why = report ? `: ${report.name}: ${report.message}` : '';
    super(`DataLoader: worker ${workerId} ${what}${at}${why}`);
    this.workerId = workerId;
    this.index = report?.index;
    if (!report) return;
    const cause = new Error(report.message);
    cause.name = report.name;
    cause.stack = report.stack ?? `${report.name}: ${report.message}`;
    this.cause = cause;
    this.stack = `${this.stack}\nin worker ${workerId}:\n${cause.stack}`;
  }
}
