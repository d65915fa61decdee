import { takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Multiplies the rates by `gamma` every epoch.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
 * @example new ExponentialLR(optimizer, 0.95)
 */
export class ExponentialLR extends LRScheduler {
  static override readonly stateKeys = { gamma: 'gamma' };

  readonly gamma: number;

  constructor(optimizer: Scheduled, gamma: number, options: { lastEpoch?: number } = {}) {
    takes('ExponentialLR', signatures.ExponentialLR, arguments);
    super(optimizer, options.lastEpoch);
    this.gamma = gamma;
    this.start();
  }

  protected override getLr(): number[] {
    return this.lastEpoch === 0 ? this.current : this.current.map((lr) => lr * this.gamma);
  }

  protected override closedForm(): number[] {
    return this.baseLrs.map((base) => base * this.gamma ** this.lastEpoch);
  }
}
