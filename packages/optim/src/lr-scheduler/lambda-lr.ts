import { ValueError } from '@sconce/core';
import { LRScheduler, type Scheduled } from './lr-scheduler.js';

/** The factor of the initial rate at an epoch. */
export type LRLambda = (epoch: number) => number;

/**
 * Sets the rates to the initial ones times a function of the epoch: one for all groups, or one each.
 *
 * @throws ValueError if the number of functions is not that of the groups.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
 * @example new LambdaLR(optimizer, (epoch) => 0.95 ** epoch)
 */
export class LambdaLR extends LRScheduler {
  readonly lambdas: readonly LRLambda[];

  constructor(
    optimizer: Scheduled,
    lambda: LRLambda | readonly LRLambda[],
    options: { lastEpoch?: number } = {},
  ) {
    super(optimizer, options.lastEpoch);
    this.lambdas = typeof lambda === 'function' ? optimizer.paramGroups.map(() => lambda) : lambda;
    if (this.lambdas.length !== optimizer.paramGroups.length) {
      throw new ValueError(
        `LambdaLR: Expected ${optimizer.paramGroups.length} lr_lambdas, but got ${this.lambdas.length}`,
      );
    }
    this.start();
  }

  protected override getLr(): number[] {
    return this.baseLrs.map((base, i) => base * (this.lambdas[i] as LRLambda)(this.lastEpoch));
  }
}
