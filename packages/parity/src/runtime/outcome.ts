import { isMissing } from '../mapping/call.js';
import { failed, notImplemented, type Outcome, passed } from '../report/counts.js';

/** The first lines of an error, short enough for a report. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const message = error.message.split('\n').slice(0, 2).join(' ').slice(0, 300);
  // Errors that are not ours are bugs; where they come from helps.
  const ours = /^(RuntimeError|IndexError|ValueError|NotImplementedError|MissingFeature)$/.test(
    error.name,
  );
  if (ours) return message;
  const frame = error.stack?.split('\n').find((line) => line.trim().startsWith('at '));
  return `${error.name}: ${message}${frame ? ` (${frame.trim()})` : ''}`;
}

/** What an error makes of a case. */
export const outcomeOf = (error: unknown): Outcome =>
  isMissing(error) ? notImplemented(reasonOf(error)) : failed(reasonOf(error));

/** Passed, or failed with the difference. */
export const judged = (difference: string | undefined): Outcome =>
  difference === undefined ? passed : failed(difference);
