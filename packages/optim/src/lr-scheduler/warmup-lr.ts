import { takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

const isFraction = (x: number): boolean => x >= 0 && x <= 1;

/**
 * Multiplies the rates by `factor` (1/3) for the first `totalIters` (5) epochs.
 *
 * @throws ValueError if the factor is outside of [0, 1].
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
 * @example new ConstantLR(optimizer, { factor: 0.5, totalIters: 4 })
 */
export class ConstantLR extends LRScheduler {
  static override readonly stateKeys = { factor: 'factor', totalIters: 'total_iters' };

  readonly factor: number;
  readonly totalIters: number;

  constructor(
    optimizer: Scheduled,
    options: { factor?: number; totalIters?: number; lastEpoch?: number } = {},
  ) {
    takes('ConstantLR', signatures.ConstantLR, arguments);
    const factor = options.factor ?? 1 / 3;
    if (!isFraction(factor)) {
      throw new ValueError(
        `ConstantLR: Constant multiplicative factor expected to be between 0 and 1, got ${factor}`,
      );
    }
    super(optimizer, options.lastEpoch);
    this.factor = factor;
    this.totalIters = options.totalIters ?? 5;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch, totalIters, factor } = this;
    if (lastEpoch === 0) return this.current.map((lr) => lr * factor);
    if (lastEpoch !== totalIters) return this.current;
    return this.current.map((lr) => lr * (1 / factor));
  }

  protected override closedForm(): number[] {
    const { lastEpoch, totalIters, factor } = this;
    const now = factor + (lastEpoch >= totalIters ? 1 - factor : 0);
    return this.baseLrs.map((base) => base * now);
  }
}

/**
 * Takes the rates from `startFactor` (1/3) to `endFactor` (1) of what they are, in `totalIters` (5) equal steps.
 *
 * @throws ValueError if a factor is outside of [0, 1], or `startFactor` is 0.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
 * @example new LinearLR(optimizer, { startFactor: 0.01, totalIters: 500 })
 */
export class LinearLR extends LRScheduler {
  static override readonly stateKeys = {
    startFactor: 'start_factor',
    endFactor: 'end_factor',
    totalIters: 'total_iters',
  };

  readonly startFactor: number;
  readonly endFactor: number;
  readonly totalIters: number;

  constructor(
    optimizer: Scheduled,
    options: {
      startFactor?: number;
      endFactor?: number;
      totalIters?: number;
      lastEpoch?: number;
    } = {},
  ) {
    takes('LinearLR', signatures.LinearLR, arguments);
    const { startFactor = 1 / 3, endFactor = 1 } = options;
    if (!isFraction(startFactor) || startFactor === 0) {
      throw new ValueError(
        `LinearLR: Starting multiplicative factor expected to be greater than 0 and less or equal to 1, got ${startFactor}`,
      );
    }
    if (!isFraction(endFactor)) {
      throw new ValueError(
        `LinearLR: Ending multiplicative factor expected to be between 0 and 1, got ${endFactor}`,
      );
    }
    super(optimizer, options.lastEpoch);
    this.startFactor = startFactor;
    this.endFactor = endFactor;
    this.totalIters = options.totalIters ?? 5;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: t, startFactor, endFactor, totalIters } = this;
    if (t === 0) return this.current.map((lr) => lr * startFactor);
    if (t > totalIters) return this.current;
    const rise = endFactor - startFactor;
    const growth = 1 + rise / (totalIters * startFactor + (t - 1) * rise);
    return this.current.map((lr) => lr * growth);
  }

  protected override closedForm(): number[] {
    const { lastEpoch, startFactor, endFactor, totalIters } = this;
    const done = Math.min(totalIters, lastEpoch);
    const factor = startFactor + ((endFactor - startFactor) * done) / totalIters;
    return this.baseLrs.map((base) => base * factor);
  }
}
