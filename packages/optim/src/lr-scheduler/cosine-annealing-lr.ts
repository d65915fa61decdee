import { takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Lowers the rates along half a cosine to `etaMin` (0) in `tMax` epochs, and up again after.
 *
 * @throws ValueError if `tMax` is 0.
 * @see Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2016);
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
 * @example new CosineAnnealingLR(optimizer, 100)
 */
export class CosineAnnealingLR extends LRScheduler {
  static override readonly stateKeys = { tMax: 'T_max', etaMin: 'eta_min' };

  readonly tMax: number;
  readonly etaMin: number;

  constructor(
    optimizer: Scheduled,
    tMax: number,
    options: { etaMin?: number; lastEpoch?: number } = {},
  ) {
    takes('CosineAnnealingLR', signatures.CosineAnnealingLR, arguments);
    if (tMax === 0) throw new ValueError('CosineAnnealingLR: tMax must not be 0');
    super(optimizer, options.lastEpoch);
    this.tMax = tMax;
    this.etaMin = options.etaMin ?? 0;
    this.start();
  }

  // PyTorch goes from rate to rate, so that a rate changed by hand is respected; so does this.
  protected override getLr(): number[] {
    const { lastEpoch: t, tMax, etaMin } = this;
    if (t === 0) return this.current;
    // Resumed: there is no rate of the epoch before to go on from.
    if (this.stepCount === 1) return this.closedForm();
    if ((t - 1 - tMax) % (2 * tMax) === 0) {
      return this.current.map(
        (lr, i) =>
          lr + (((this.baseLrs[i] as number) - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2,
      );
    }
    const ratio = (1 + Math.cos((Math.PI * t) / tMax)) / (1 + Math.cos((Math.PI * (t - 1)) / tMax));
    return this.current.map((lr) => ratio * (lr - etaMin) + etaMin);
  }

  protected override closedForm(): number[] {
    const { lastEpoch: t, tMax, etaMin } = this;
    const height = (1 + Math.cos((Math.PI * t) / tMax)) / 2;
    return this.baseLrs.map((base) => etaMin + (base - etaMin) * height);
  }
}
