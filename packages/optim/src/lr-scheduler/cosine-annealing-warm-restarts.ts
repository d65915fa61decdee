import { once, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Lowers the rates along half a cosine to `etaMin` (0), then starts again: after `t0` epochs, then after `tMult` (1)
 * times as many each time.
 *
 * `step(epoch)` also takes fractions of epochs, for rates that change with every batch.
 *
 * @throws ValueError unless `t0` and `tMult` are positive integers.
 * @see Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2016);
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 * @example new CosineAnnealingWarmRestarts(optimizer, 10, { tMult: 2 })
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  static override readonly stateKeys = {
    t0: 'T_0',
    tI: 'T_i',
    tMult: 'T_mult',
    etaMin: 'eta_min',
    tCur: 'T_cur',
  };

  readonly t0: number;
  readonly tMult: number;
  readonly etaMin: number;
  /** Epochs between the last restart and the next. */
  tI: number;
  /** Epochs since the last restart. */
  tCur: number;

  constructor(
    optimizer: Scheduled,
    t0: number,
    options: { tMult?: number; etaMin?: number; lastEpoch?: number } = {},
  ) {
    takes('CosineAnnealingWarmRestarts', signatures.CosineAnnealingWarmRestarts, arguments);
    const { tMult = 1, etaMin = 0, lastEpoch = -1 } = options;
    if (!Number.isInteger(t0) || t0 <= 0) {
      throw new ValueError(
        `CosineAnnealingWarmRestarts: Expected positive integer T_0, but got ${t0}`,
      );
    }
    if (!Number.isInteger(tMult) || tMult < 1) {
      throw new ValueError(
        `CosineAnnealingWarmRestarts: Expected integer T_mult >= 1, but got ${tMult}`,
      );
    }
    super(optimizer, lastEpoch);
    this.t0 = t0;
    this.tMult = tMult;
    this.etaMin = etaMin;
    this.tI = t0;
    this.tCur = lastEpoch;
    this.start();
  }

  protected override getLr(): number[] {
    const height = (1 + Math.cos((Math.PI * this.tCur) / this.tI)) / 2;
    return this.baseLrs.map((base) => this.etaMin + (base - this.etaMin) * height);
  }

  // PyTorch does not count these steps, so neither does this: `_step_count` stays 0.
  /** @throws ValueError if the epoch is negative. */
  override step(epoch?: number): void {
    once('the step of a scheduler');
    const next = epoch ?? (this.lastEpoch < 0 ? 0 : undefined);
    if (next === undefined) {
      this.lastEpoch++;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      this.#goTo(next);
    }
    this.apply(this.getLr());
  }

  #goTo(epoch: number): void {
    if (epoch < 0) {
      throw new ValueError(
        `CosineAnnealingWarmRestarts: Expected non-negative epoch, but got ${epoch}`,
      );
    }
    const { t0, tMult } = this;
    this.lastEpoch = Math.floor(epoch);
    if (epoch < t0) {
      this.tI = t0;
      this.tCur = epoch;
    } else if (tMult === 1) {
      this.tCur = epoch % t0;
    } else {
      // Restart n comes after t0 + t0 tMult + ... epochs: a geometric series, solved for n.
      const n = Math.floor(Math.log((epoch / t0) * (tMult - 1) + 1) / Math.log(tMult));
      this.tCur = epoch - (t0 * (tMult ** n - 1)) / (tMult - 1);
      this.tI = t0 * tMult ** n;
    }
  }
}
