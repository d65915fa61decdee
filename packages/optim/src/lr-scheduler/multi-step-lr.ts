import { countUpTo, LRScheduler, type Scheduled } from './lr-scheduler.js';

/**
 * Multiplies the rates by `gamma` (0.1) at each of the epochs `milestones`; twice at one that is named twice.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 * @example new MultiStepLR(optimizer, [30, 80], { gamma: 0.1 })
 */
export class MultiStepLR extends LRScheduler {
  /** In ascending order. */
  readonly milestones: readonly number[];
  readonly gamma: number;

  constructor(
    optimizer: Scheduled,
    milestones: readonly number[],
    options: { gamma?: number; lastEpoch?: number } = {},
  ) {
    super(optimizer, options.lastEpoch);
    this.milestones = [...milestones].sort((a, b) => a - b);
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const falls = this.milestones.filter((epoch) => epoch === this.lastEpoch).length;
    return falls === 0 ? this.current : this.current.map((lr) => lr * this.gamma ** falls);
  }

  protected override closedForm(): number[] {
    const falls = countUpTo(this.milestones, this.lastEpoch);
    return this.baseLrs.map((base) => base * this.gamma ** falls);
  }
}
