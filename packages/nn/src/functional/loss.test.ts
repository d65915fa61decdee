import '@sconce/autograd';
import { type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, it, test } from 'vitest';
import * as F from './index.js';

const ints = (...values: number[]): Tensor => tensor(values, { dtype: 'int64' });
const numbers = (t: Tensor): number[] => [t.toArraySync()].flat(9) as number[];
function close(got: Tensor, ...want: number[]): void {
  const values = numbers(got);
  expect(values.length).toBe(want.length);
  want.forEach((v, i) => {
    expect(values[i]).toBeCloseTo(v, 5);
  });
}

describe('regression losses', () => {
  const x = tensor([0, 2]);
  const y = tensor([1, -2]);
  it('measure differences', () => {
    close(F.mseLoss(x, y), 8.5);
    close(F.mseLoss(x, y, { reduction: 'sum' }), 17);
    close(F.l1Loss(x, y, { reduction: 'none' }), 1, 4);
    close(F.smoothL1Loss(x, y, { beta: 2, reduction: 'none' }), 0.25, 3);
    close(F.huberLoss(x, y, { delta: 2, reduction: 'none' }), 0.5, 6);
    expect(() => F.mseLoss(x, y, { reduction: 'batch' as 'mean' })).toThrow(
      "mseLoss: option 'reduction' must be 'mean', 'none' or 'sum', got the string 'batch'",
    );
  });

  it('measure likelihoods', () => {
    close(F.poissonNllLoss(tensor([0]), tensor([3])), 1);
    close(
      F.poissonNllLoss(tensor([2]), tensor([3]), { logInput: false, eps: 0 }),
      2 - 3 * Math.log(2),
    );
    close(F.gaussianNllLoss(tensor([1]), tensor([3]), tensor([4])), 0.5 * (Math.log(4) + 1));
    close(
      F.klDiv(tensor([[Math.log(0.5), Math.log(0.5)]]), tensor([[0.25, 0.75]]), {
        reduction: 'batchmean',
      }),
      0.25 * Math.log(0.5) + 0.75 * Math.log(1.5),
    );
  });
});

describe('classification losses', () => {
  const logits = (): Tensor =>
    tensor([
      [0, Math.log(3)],
      [0, 0],
      [5, 5],
    ]);
  it('take class numbers, with weights and classes to ignore', () => {
    const none = F.crossEntropy(logits(), ints(1, 0, -100), { reduction: 'none' });
    close(none, -Math.log(0.75), Math.LN2, 0);
    close(F.crossEntropy(logits(), ints(1, 0, -100)), (Math.LN2 - Math.log(0.75)) / 2);
    const weight = tensor([1, 3]);
    close(
      F.crossEntropy(logits(), ints(1, 0, 1), { weight }),
      (-3 * Math.log(0.75) + Math.LN2 * 4) / 7,
    );
    close(F.crossEntropy(tensor([0, 0]), tensor(1, { dtype: 'int64' })), Math.LN2);
    expect(() => F.crossEntropy(logits(), ints(0, 2, 1))).toThrow('Target 2 is out of bounds');
    expect(() => F.crossEntropy(logits(), ints(0, 1))).toThrow('to match target batch_size (2)');
  });

  it('take probabilities and smoothed labels', () => {
    const target = tensor([
      [0, 1],
      [0.5, 0.5],
      [1, 0],
    ]);
    close(F.crossEntropy(logits(), target), (2 * Math.LN2 - Math.log(0.75)) / 3);
    const smooth = F.crossEntropy(logits(), ints(1, 0, 0), {
      labelSmoothing: 0.2,
      reduction: 'none',
    });
    close(smooth, -0.9 * Math.log(0.75) - 0.1 * Math.log(0.25), Math.LN2, Math.LN2);
  });

  it('differentiate to softmax minus target', () => {
    const x = logits().requiresGrad_();
    F.crossEntropy(x, ints(1, 0, -100), { reduction: 'sum' }).backward();
    close(x.grad as Tensor, 0.25, -0.25, -0.5, 0.5, 0, 0);
  });

  it('take images of classes', () => {
    const scores = tensor([[[[0, 0]], [[0, Math.log(3)]]]]);
    const target = tensor([[[0, 1]]], { dtype: 'int64' });
    close(F.crossEntropy(scores, target, { reduction: 'none' }), Math.LN2, -Math.log(0.75));
  });

  it('are binary', () => {
    close(
      F.binaryCrossEntropy(tensor([0.5, 0]), tensor([1, 1]), { reduction: 'none' }),
      Math.LN2,
      100,
    );
    const [x, y] = [tensor([0, 2]), tensor([1, 0])];
    close(
      F.binaryCrossEntropyWithLogits(x, y, { reduction: 'none' }),
      Math.LN2,
      Math.log1p(Math.exp(2)),
    );
    close(
      F.binaryCrossEntropyWithLogits(x, y, { reduction: 'none', posWeight: tensor([3, 3]) }),
      3 * Math.LN2,
      Math.log1p(Math.exp(2)),
    );
    close(F.binaryCrossEntropyWithLogits(tensor([-200]), tensor([1])), 200);
    expect(() => F.binaryCrossEntropy(x, tensor([1]))).toThrow('different to the input size');
  });
});

describe('margin losses', () => {
  it('keep a distance', () => {
    close(
      F.hingeEmbeddingLoss(tensor([0.5, 0.25]), tensor([1, -1]), { reduction: 'none' }),
      0.5,
      0.75,
    );
    close(
      F.marginRankingLoss(tensor([1, 1]), tensor([3, 0]), tensor([1, 1]), {
        margin: 0.5,
        reduction: 'none',
      }),
      2.5,
      0,
    );
    close(
      F.softMarginLoss(tensor([0, 2]), tensor([1, -1]), { reduction: 'none' }),
      Math.LN2,
      Math.log1p(Math.exp(2)),
    );
    close(F.multiMarginLoss(tensor([[1, 2, 4]]), ints(1)), 1);
    close(F.multiMarginLoss(tensor([[1, 2, 4]]), ints(1), { p: 2, weight: tensor([1, 2, 1]) }), 6);
    const labels = tensor([[2, 0, -1]], { dtype: 'int64' });
    close(F.multilabelMarginLoss(tensor([[1, 2, 4]]), labels), 2 / 3);
    close(F.multilabelSoftMarginLoss(tensor([[0, 0]]), tensor([[1, 0]])), Math.LN2);
    close(
      F.cosineEmbeddingLoss(
        tensor([
          [1, 0],
          [1, 0],
        ]),
        tensor([
          [0, 1],
          [1, 0],
        ]),
        tensor([1, -1]),
        { reduction: 'none', margin: 0.25 },
      ),
      1,
      0.75,
    );
    close(
      F.tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[6, 8]]), { margin: 6 }),
      1,
    );
    close(
      F.tripletMarginLoss(tensor([[0, 0]]), tensor([[3, 4]]), tensor([[3, 5]]), { swap: true }),
      5,
    );
  });
});

test('cosineEmbeddingLoss takes integers', () => {
  const [x, y] = [tensor([[3n, 4n]]), tensor([[4n, 3n]])];
  close(F.cosineEmbeddingLoss(x, y, ints(1)), 1 - 24 / 25);
});

test('losses refuse what is no class, no probability or of another dtype', () => {
  const x = tensor([[0.5, 0.25]]);
  for (const f of [F.nllLoss, F.crossEntropy]) {
    expect(() => f(x, ints(-1))).toThrow(/Target -1 is out of bounds/);
    expect(() => f(x, ints(-100, 0).slice(0, 0, 1))).not.toThrow();
    expect(() => f(x, ints(0), { weight: tensor([1]) })).toThrow(/for all 2 classes/);
    const weight = tensor([1, 1], { dtype: 'float64' });
    expect(() => f(x, ints(0), { weight })).toThrow(/scalar type/);
  }
  expect(() => F.nllLoss(x, ints(0).unsqueeze(0))).toThrow(/multi-target/);
  for (const bad of [1.5, -0.5, Number.NaN]) {
    expect(() => F.binaryCrossEntropy(tensor([0.5, bad]), tensor([1, 1]))).toThrow(/0 and 1/);
  }
  expect(() => F.binaryCrossEntropy(tensor([0.5]), ints(1))).toThrow(/dtype int64/);
  expect(() => F.multiMarginLoss(x, ints(2))).toThrow(/out of range/);
  expect(() => F.multilabelMarginLoss(x, tensor([[2n, -1n]]))).toThrow(/out of range/);
});

test('gradients through an empty batch are empty', () => {
  const x = zeros([2, 5, 0]).requiresGrad_();
  const target = zeros([2, 0], { dtype: 'int64' });
  F.crossEntropy(x, target, { labelSmoothing: 0.5, reduction: 'sum' }).backward();
  expect(x.grad?.shape).toEqual([2, 5, 0]);
});

test('a vector shorter than eps has the gradient PyTorch gives it', () => {
  const [a, b] = [tensor([[0.1, 0.2]]).requiresGrad_(), tensor([[2, 1]])];
  F.cosineSimilarity(a, b, { eps: 0.5 }).sum().backward();
  close(a.grad as Tensor, 1.645746, 0.60821);
});
