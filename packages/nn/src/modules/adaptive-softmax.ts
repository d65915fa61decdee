import {
  cat,
  checkValues,
  logSoftmax,
  RuntimeError,
  stack,
  type Tensor,
  takes,
  ValueError,
  where,
} from '@sconce/core';
import { Module } from '../module.js';
import type { PlaceOptions } from '../placing.js';
import * as signatures from '../signatures.js';
import { ModuleList, Sequential } from './container.js';
import { Linear } from './linear.js';

/** Options of `AdaptiveLogSoftmaxWithLoss`. */
export interface AdaptiveSoftmaxOptions extends PlaceOptions {
  /** How much narrower each cluster's projection is than that of the one before; default 4. */
  divValue?: number;
  /** Learn a bias in the head; default false. */
  headBias?: boolean;
}

/** The log-probability of each sample's target, and the mean of their negatives. */
export interface AdaptiveSoftmaxResult {
  readonly output: Tensor;
  readonly loss: Tensor;
}

/** Throws unless the cutoffs rise, between 1 and the last class. */
function checkCutoffs(cutoffs: readonly number[], classes: number): void {
  const rises = cutoffs.every((c, i) => Number.isInteger(c) && c > (cutoffs[i - 1] ?? 0));
  if (cutoffs.length > 0 && rises && (cutoffs.at(-1) as number) < classes) return;
  throw new ValueError(
    `AdaptiveLogSoftmaxWithLoss: cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1, got [${cutoffs.join(', ')}] for ${classes} classes`,
  );
}

/** The rows that a mask chooses; undefined where their number cannot be known at once. */
const rowsOf = (mask: Tensor): Tensor | undefined =>
  mask.storage.backend.readSync ? mask.nonzero().squeeze(1) : undefined;

/** Throws unless there is a sample for each target. */
function checkInputs(input: Tensor, target: Tensor): void {
  const rank = target.shape.length;
  const fail = (why: string): never => {
    throw new RuntimeError(`AdaptiveLogSoftmaxWithLoss: ${why}`);
  };
  if (rank > 1) fail('0D or 1D target tensor expected, multi-target not supported');
  if (input.shape.length !== rank + 1) {
    fail(
      `${rank}D target tensor expects ${rank + 1}D input tensors, but found inputs with size [${input.shape.join(', ')}]`,
    );
  }
  if (rank === 1 && input.shape[0] !== target.shape[0]) {
    fail(
      `Input and target should have the same size in the batch dimension, got ${input.shape[0]} and ${target.shape[0]}.`,
    );
  }
}

/**
 * A softmax over many classes, sorted from frequent to rare: the head tells the frequent ones and the clusters
 * that `cutoffs` part the others into, and each cluster is computed only for the samples that fall into it.
 *
 * Input [N, inFeatures] or [inFeatures], target [N] or [] of class numbers. Which samples belong to a
 * cluster is read from the target; where that is only possible asynchronously, every cluster is computed for all.
 *
 * @throws ValueError if the cutoffs do not rise between 1 and `numClasses` - 1; RuntimeError from `forward` if
 *   shapes or targets do not fit.
 * @see https://arxiv.org/abs/1609.04309
 * @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
 * @example new AdaptiveLogSoftmaxWithLoss(64, 10000, [1000, 4000])(x, y).loss.backward()
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  readonly inFeatures: number;
  readonly numClasses: number;
  /** The first class of each cluster, and the number of classes. */
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
  head: Linear;
  tail: ModuleList<Sequential>;

  constructor(
    inFeatures: number,
    numClasses: number,
    cutoffs: readonly number[],
    options: AdaptiveSoftmaxOptions = {},
  ) {
    takes('AdaptiveLogSoftmaxWithLoss', signatures.AdaptiveLogSoftmaxWithLoss, arguments);
    super();
    checkCutoffs(cutoffs, numClasses);
    const { divValue = 4, headBias = false, ...tensorOptions } = options;
    this.inFeatures = inFeatures;
    this.numClasses = numClasses;
    this.cutoffs = [...cutoffs, numClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    const headSize = (cutoffs[0] as number) + cutoffs.length;
    this.head = new Linear(inFeatures, headSize, { ...tensorOptions, bias: headBias });
    const unbiased = { ...tensorOptions, bias: false };
    this.tail = new ModuleList(
      cutoffs.map((first, i) => {
        const narrow = Math.floor(inFeatures / divValue ** (i + 1));
        const size = (this.cutoffs[i + 1] as number) - first;
        return new Sequential(
          new Linear(inFeatures, narrow, unbiased),
          new Linear(narrow, size, unbiased),
        );
      }),
    );
  }

  /** Draws all weights anew. */
  resetParameters(): void {
    this.head.resetParameters();
    for (const projection of this.tail) {
      for (const layer of projection) (layer as Linear).resetParameters();
    }
  }

  override forward(input: Tensor, target: Tensor): AdaptiveSoftmaxResult {
    takes('AdaptiveLogSoftmaxWithLoss', signatures.AdaptiveLogSoftmaxWithLoss_forward, arguments);
    checkInputs(input, target);
    const batched = target.shape.length > 0;
    const x = batched ? input : input.unsqueeze(0);
    const y = batched ? target : target.unsqueeze(0);
    const shortlist = this.cutoffs[0] as number;
    if (y.numel() > 0) {
      checkValues(stack([y.min(), y.max()]), ([least, most]) =>
        Number(least) >= 0 && Number(most) < this.numClasses
          ? undefined
          : new RuntimeError(
              `AdaptiveLogSoftmaxWithLoss: Target values should be in [0, ${this.numClasses - 1}], but values in range [${least}, ${most}] were found.`,
            ),
      );
    }
    // Which column of the head each sample looks at: its class, or the one of its cluster.
    let column = y;
    let within = x.newZeros([y.shape[0] as number]);
    for (const [i, projection] of [...this.tail].entries()) {
      const [first, end] = this.cutoffs.slice(i, i + 2) as [number, number];
      const inside = y.ge(first).logicalAnd(y.lt(end));
      const rows = rowsOf(inside);
      if (rows?.numel() === 0) continue;
      if (rows) {
        const logs = logSoftmax(projection(x.indexSelect(0, rows)), 1);
        const relative = y.indexSelect(0, rows).sub(first).unsqueeze(1);
        within = within.indexCopy(0, rows, logs.gather(1, relative).squeeze(1));
      } else {
        const logs = logSoftmax(projection(x), 1);
        const relative = y
          .sub(first)
          .clamp(0, end - first - 1)
          .unsqueeze(1);
        within = where(inside, logs.gather(1, relative).squeeze(1), within);
      }
      column = column.maskedFill(inside, shortlist + i);
    }
    const logs = logSoftmax(this.head(x) as Tensor, 1);
    const output = within.add(logs.gather(1, column.unsqueeze(1)).squeeze(1));
    return { output: batched ? output : output.squeeze(0), loss: output.neg().mean() };
  }

  /** The log-probabilities of all classes: input [N, inFeatures], result [N, numClasses]. */
  logProb(input: Tensor): Tensor {
    const shortlist = this.cutoffs[0] as number;
    const logs = logSoftmax(this.head(input) as Tensor, 1);
    const clusters = [...this.tail].map((projection, i) =>
      logSoftmax(projection(input) as Tensor, 1).add(logs.narrow(1, shortlist + i, 1)),
    );
    return cat([logs.narrow(1, 0, shortlist), ...clusters], 1);
  }

  /** The most probable class of each sample: input [N, inFeatures], result [N]. */
  predict(input: Tensor): Tensor {
    const shortlist = this.cutoffs[0] as number;
    const best = (this.head(input) as Tensor).argmax(1);
    const clustered = best.ge(shortlist);
    const rows = rowsOf(clustered);
    if (!rows) return where(clustered, this.logProb(input).argmax(1), best);
    if (rows.numel() === 0) return best;
    const rest = this.logProb(input.indexSelect(0, rows)).argmax(1);
    return best.indexCopy(0, rows, rest);
  }
}
