import { takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Lowers the rates to 0 in `totalIters` (5) epochs along a polynomial of degree `power` (1).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
 * @example new PolynomialLR(optimizer, { totalIters: 100, power: 2 })
 */
export class PolynomialLR extends LRScheduler {
  static override readonly stateKeys = { totalIters: 'total_iters', power: 'power' };

  readonly totalIters: number;
  readonly power: number;

  constructor(
    optimizer: Scheduled,
    options: { totalIters?: number; power?: number; lastEpoch?: number } = {},
  ) {
    takes('PolynomialLR', signatures.PolynomialLR, arguments);
    super(optimizer, options.lastEpoch);
    this.totalIters = options.totalIters ?? 5;
    this.power = options.power ?? 1;
    this.start();
  }

  protected override getLr(): number[] {
    const { lastEpoch: t, totalIters, power } = this;
    if (t === 0 || t > totalIters) return this.current;
    const fall = ((1 - t / totalIters) / (1 - (t - 1) / totalIters)) ** power;
    return this.current.map((lr) => lr * fall);
  }

  protected override closedForm(): number[] {
    const left = 1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters;
    return this.baseLrs.map((base) => base * left ** this.power);
  }
}
