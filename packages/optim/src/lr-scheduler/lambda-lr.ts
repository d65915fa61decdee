import { takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { forGroups, LRScheduler, type Scheduled } from './lr-scheduler.js';
import type { SchedulerStateDict } from './state.js';

/** The factor of the initial rate at an epoch. */
export type LRLambda = (epoch: number) => number;

const lambdaMismatch = (name: string) => (groups: number, given: number) =>
  `${name}: Expected ${groups} lr_lambdas, but got ${given}`;

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
    takes('LambdaLR', signatures.LambdaLR, arguments);
    super(optimizer, options.lastEpoch);
    this.lambdas = forGroups(optimizer, lambda, lambdaMismatch('LambdaLR'));
    this.start();
  }

  /** Functions are not saved: `lr_lambdas` says how many there are, as in PyTorch. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), lr_lambdas: this.lambdas.map(() => null) };
  }

  protected override getLr(): number[] {
    return this.baseLrs.map((base, i) => base * (this.lambdas[i] as LRLambda)(this.lastEpoch));
  }
}

/**
 * Multiplies the rates by a function of the epoch at every step: one for all groups, or one each.
 *
 * @throws ValueError if the number of functions is not that of the groups.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
 * @example new MultiplicativeLR(optimizer, () => 0.95)
 */
export class MultiplicativeLR extends LRScheduler {
  readonly lambdas: readonly LRLambda[];

  constructor(
    optimizer: Scheduled,
    lambda: LRLambda | readonly LRLambda[],
    options: { lastEpoch?: number } = {},
  ) {
    takes('MultiplicativeLR', signatures.MultiplicativeLR, arguments);
    super(optimizer, options.lastEpoch);
    this.lambdas = forGroups(optimizer, lambda, lambdaMismatch('MultiplicativeLR'));
    this.start();
  }

  /** Functions are not saved: `lr_lambdas` says how many there are, as in PyTorch. */
  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), lr_lambdas: this.lambdas.map(() => null) };
  }

  protected override getLr(): number[] {
    const { lastEpoch } = this;
    if (lastEpoch <= 0) return this.current;
    return this.current.map((lr, i) => lr * (this.lambdas[i] as LRLambda)(lastEpoch));
  }
}
