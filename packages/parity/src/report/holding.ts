import type { Device } from '@sconce/core';
import { limitsOf } from '../conformance/limits.js';
import type { Case } from '../corpus/corpus.js';
import { type CaseOutcome, type Outcome, unheld } from './counts.js';

/** How a comparison of integers says that only what takes more than 32 bits differs. */
export const beyond32Bits = 'all of them beyond 32 bits';

/** Whether a case is about float64: a tensor of it, or an argument or a call that asks for it. */
const asksForFloat64 = (test: Case): boolean =>
  /"float64"|torch\.(float64|double)\b|\.double\(/.test(JSON.stringify(test));

/**
 * Tells cases that need what a device does not hold from those that it gets wrong: float64, and integers of more
 * than 32 bits where int64 is narrowed. A case that the device fails for another reason, or that needs
 * neither, stays a failure.
 */
export function judgeHolding(test: Case, outcome: CaseOutcome, device: Device): CaseOutcome {
  const judge = (result: Outcome | undefined): Outcome | undefined => {
    if (!result || (result.status !== 'failed' && result.status !== 'notImplemented'))
      return result;
    const { reason } = result;
    const lacksFloat64 = !device.backend.supports('float64') && /no float64/.test(reason);
    if (lacksFloat64 && asksForFloat64(test)) return unheld('float64', reason);
    const narrow = limitsOf(device.type).int64Bits < 64;
    if (narrow && (reason.includes(beyond32Bits) || /int64 is held as int32/.test(reason))) {
      return unheld('int64', reason);
    }
    return result;
  };
  const [forward, gradient] = [judge(outcome.forward), judge(outcome.gradient)];
  return { ...outcome, ...(forward && { forward }), ...(gradient && { gradient }) };
}
