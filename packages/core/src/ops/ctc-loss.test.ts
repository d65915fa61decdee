import { describe, expect, it } from 'vitest';
import { ctcLoss, logSoftmax, type Tensor, tensor } from '../index.js';

/** The sum of the probabilities of all paths of classes that read `target`, as the definition has it. */
function byEnumeration(probs: number[][], target: number[]): number {
  const classes = probs[0]?.length ?? 0;
  let total = 0;
  const walk = (time: number, path: number[], p: number): void => {
    if (time === probs.length) {
      const read = path.filter((c, i) => c !== path[i - 1]).filter((c) => c !== 0);
      if (read.join() === target.join()) total += p;
      return;
    }
    for (let c = 0; c < classes; c++) walk(time + 1, [...path, c], p * (probs[time]?.[c] ?? 0));
  };
  walk(0, [], 1);
  return -Math.log(total);
}

const scores = (): Tensor =>
  logSoftmax(
    tensor(
      Array.from({ length: 5 * 2 * 3 }, (_, i) => Math.sin(i * i)),
      { dtype: 'float64' },
    ).reshape(5, 2, 3),
    2,
  );
const probs = (n: number, times: number) =>
  scores().exp().select(1, n).slice(0, 0, times).toArraySync() as number[][];

describe('ctcLoss', () => {
  it('sums over all paths, repeated labels included', () => {
    const targets = tensor(
      [
        [1, 1],
        [2, 0],
      ],
      { dtype: 'int64' },
    );
    const losses = ctcLoss(scores(), targets, [5, 4], [2, 1], {
      reduction: 'none',
    }).toArraySync() as number[];
    expect(losses[0]).toBeCloseTo(byEnumeration(probs(0, 5), [1, 1]), 10);
    expect(losses[1]).toBeCloseTo(byEnumeration(probs(1, 4), [2]), 10);
    const joined = tensor([1, 1, 2], { dtype: 'int64' });
    const mean = ctcLoss(scores(), joined, [5, 4], [2, 1]).itemSync();
    expect(mean).toBeCloseTo(((losses[0] as number) / 2 + (losses[1] as number)) / 2, 10);
  });

  it('is infinite where the input is too short, or zero on request', () => {
    const targets = tensor(
      [
        [1, 1],
        [2, 0],
      ],
      { dtype: 'int64' },
    );
    const options = { reduction: 'none' } as const;
    expect((ctcLoss(scores(), targets, [2, 4], [2, 1], options).toArraySync() as number[])[0]).toBe(
      Infinity,
    );
    const zeroed = ctcLoss(scores(), targets, [2, 4], [2, 1], { ...options, zeroInfinity: true });
    expect((zeroed.toArraySync() as number[])[0]).toBe(0);
    expect(() => ctcLoss(scores(), targets, [6, 4], [2, 1])).toThrow(
      'value at most 5, but got value 6',
    );
  });

  it('is 0 of no input and no target, and infinite of no input to a target', () => {
    const targets = tensor(
      [
        [1, 1],
        [2, 0],
      ],
      { dtype: 'int64' },
    );
    for (const zeroInfinity of [false, true]) {
      const losses = (lengths: number[]): number[] =>
        ctcLoss(scores(), targets, [0, 4], lengths, {
          reduction: 'none',
          zeroInfinity,
        }).toArraySync() as number[];
      expect(losses([0, 1])[0]).toBeCloseTo(0, 12);
      expect(losses([0, 1])[1]).toBeCloseTo(byEnumeration(probs(1, 4), [2]), 10);
      expect(losses([1, 1])[0]).toBe(zeroInfinity ? 0 : Infinity);
    }
    const none = tensor([], { dtype: 'int64' });
    expect(ctcLoss(scores(), none, [0, 0], [0, 0]).itemSync()).toBeCloseTo(0, 12);
    const silent = ctcLoss(scores(), none, [5, 0], [0, 0], { reduction: 'sum' }).itemSync();
    expect(silent).toBeCloseTo(byEnumeration(probs(0, 5), []), 10);
  });

  it('refuses negative lengths', () => {
    const targets = tensor([1, 2], { dtype: 'int64' });
    const lengths = (...values: number[]) => tensor(values, { dtype: 'int64' });
    expect(() => ctcLoss(scores(), targets, [-1, 4], [1, 1])).toThrow(
      'ctcLoss: Expected input_lengths to have value at least 0, but got value -1',
    );
    expect(() => ctcLoss(scores(), targets, [5, 4], [3, -1])).toThrow(
      'ctcLoss: Expected target_lengths to have value at least 0, but got value -1',
    );
    expect(() => ctcLoss(scores(), targets, lengths(5, -4), lengths(1, 1))).toThrow('value -4');
    expect(() => ctcLoss(scores(), targets, lengths(5, 4), lengths(-2, 1))).toThrow('value -2');
  });
});
