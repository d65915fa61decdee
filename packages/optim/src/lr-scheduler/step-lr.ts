import { takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Multiplies the rates by `gamma` (0.1) every `stepSize` epochs.
 *
 * @throws ValueError if `stepSize` is 0.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
 * @example new StepLR(optimizer, 30, { gamma: 0.1 })
 */
export class StepLR extends LRScheduler {
  static override readonly stateKeys = { stepSize: 'step_size', gamma: 'gamma' };

  readonly stepSize: number;
  readonly gamma: number;

  constructor(
    optimizer: Scheduled,
    stepSize: number,
    options: { gamma?: number; lastEpoch?: number } = {},
  ) {
    takes('StepLR', signatures.StepLR, arguments);
    if (stepSize === 0) throw new ValueError('StepLR: stepSize must not be 0');
    super(optimizer, options.lastEpoch);
    this.stepSize = stepSize;
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const falls = this.lastEpoch > 0 && this.lastEpoch % this.stepSize === 0;
    return this.current.map((lr) => (falls ? lr * this.gamma : lr));
  }

  protected override closedForm(): number[] {
    const falls = Math.floor(this.lastEpoch / this.stepSize);
    return this.baseLrs.map((base) => base * this.gamma ** falls);
  }
}
