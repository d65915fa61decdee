import { arange, manualSeed, ones, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { GRU, LSTM, utils } from '../index.js';

const {
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} = utils.rnn;

// Expected numbers are PyTorch 1.13's with the same seed.

/** sin(0), sin(0.7), sin(1.4), ... */
const waves = (...shape: number[]): Tensor =>
  arange(shape.reduce((a, b) => a * b))
    .mul(0.7)
    .sin()
    .reshape(shape);

const values = (t: Tensor): number[] => Array.from(t.detach().toTypedArraySync(), Number);

function expectValues(actual: Tensor, expected: readonly number[]): void {
  const own = values(actual.contiguous());
  expect(own.length).toBe(expected.length);
  for (const [i, value] of own.entries()) expect(value).toBeCloseTo(expected[i] as number, 4);
}

describe('packing', () => {
  it('sorts, and pads back in the first order', () => {
    const input = waves(3, 4, 2);
    const packed = packPaddedSequence(input, [2, 4, 1], { batchFirst: true, enforceSorted: false });
    expectValues(
      packed.data,
      [
        -0.63127, 0.01681, 0.0, 0.64422, -0.97918, -0.61814, 0.65699, 0.98817, 0.98545, 0.86321,
        0.8546, 0.3191, -0.36648, -0.8797,
      ],
    );
    expect(values(packed.batchSizes)).toEqual([3, 2, 1, 1]);
    expect(values(packed.sortedIndices as Tensor)).toEqual([1, 0, 2]);
    expect(values(packed.unsortedIndices as Tensor)).toEqual([1, 0, 2]);
    const [padded, lengths] = padPackedSequence(packed, {
      batchFirst: true,
      paddingValue: 9,
      totalLength: 5,
    });
    expect(padded.shape).toEqual([3, 5, 2]);
    expect(values(lengths)).toEqual([2, 4, 1]);
    expectValues(padded.select(0, 1).narrow(0, 0, 4), values(input.select(0, 1).contiguous()));
    expectValues(padded.select(0, 2).narrow(0, 1, 4), new Array(8).fill(9));
  });

  it('pads and packs lists', () => {
    const list = [tensor([1, 2, 3]), tensor([4])];
    expect(padSequence(list, { batchFirst: true, paddingValue: -1 }).toArraySync()).toEqual([
      [1, 2, 3],
      [4, -1, -1],
    ]);
    const packed = packSequence(list);
    expect(values(packed.data)).toEqual([1, 4, 2, 3]);
    expect(packed.sortedIndices).toBe(null);
  });

  it('refuses lengths that do not fit', () => {
    expect(() => packPaddedSequence(ones([3, 2]), [1, 3])).toThrow('enforceSorted: false');
    expect(() => packPaddedSequence(ones([3, 2]), [4, 1])).toThrow('lengths from 1 to 3');
    expect(() => packPaddedSequence(ones([3, 2]), [3])).toThrow('expected 2 lengths');
    expect(() => padSequence([])).toThrow('at least one sequence');
    const packed = packPaddedSequence(ones([3, 2]), [3, 1]);
    expect(() => padPackedSequence(packed, { totalLength: 2 })).toThrow('total_length=2');
  });
});

describe('recurrent layers with packed sequences', () => {
  it('run both ways from states, each sequence to its own end', () => {
    const packed = packPaddedSequence(waves(3, 4, 2), tensor([2, 4, 1]), {
      batchFirst: true,
      enforceSorted: false,
    });
    manualSeed(2);
    const lstm = new LSTM(2, 2, { bidirectional: true, numLayers: 2 });
    const [output, [h, c]] = lstm(packed, [waves(4, 3, 2), waves(4, 3, 2)]);
    expectValues(
      output.data,
      [
        0.01861, -0.2373, 0.04641, -0.26091, 0.11402, 0.17701, 0.01061, -0.0949, -0.32549, -0.25479,
        0.0866, -0.29743, 0.03412, -0.22342, 0.03388, -0.16338, 0.06359, -0.03557, -0.09632,
        0.12187, 0.04917, -0.20106, -0.02242, -0.00103, 0.07088, -0.20406, -0.06235, 0.2853,
      ],
    );
    expectValues(
      h,
      [
        0.05144, 0.07771, 0.20539, 0.02428, 0.19424, -0.05624, 0.19011, 0.00262, 0.2419, 0.00246,
        0.18353, 0.14973, 0.06359, -0.03557, 0.07088, -0.20406, -0.32549, -0.25479, 0.01061,
        -0.0949, 0.04641, -0.26091, 0.0866, -0.29743,
      ],
    );
    expectValues(
      c,
      [
        0.08462, 0.16686, 0.56759, 0.0775, 0.42815, -0.16414, 0.38727, 0.00341, 0.52039, 0.00404,
        0.44079, 0.41374, 0.09503, -0.06552, 0.10244, -0.40547, -0.41468, -0.73067, 0.02042,
        -0.1401, 0.10145, -0.37711, 0.19279, -0.43901,
      ],
    );
    output.data.sum().backward();
    const grad = lstm.allWeights[0]?.[1]?.grad as Tensor;
    expectValues(grad.flatten().narrow(0, 0, 4), [-0.04967, -0.02826, -0.00013, -0.00191]);
  });

  it('give what each sequence gives alone', () => {
    const gru = new GRU(3, 4, { bidirectional: true });
    const [long, short] = [waves(5, 3), waves(2, 3)];
    const [output, hidden] = gru(packSequence([long, short]));
    const [padded] = padPackedSequence(output, { batchFirst: true });
    const [alone, last] = gru(short);
    expectValues(padded.select(0, 1).narrow(0, 0, 2), values(alone));
    expectValues(hidden.select(1, 1), values(last));
    expectValues(padded.select(0, 1).narrow(0, 2, 3), values(zeros([24])));
  });

  it('refuse sequences of other widths', () => {
    const gru = new GRU(3, 4);
    expect(() => gru(packSequence([ones([2, 5])]))).toThrow('Expected 3, got 5');
  });
});

describe('unpacking', () => {
  it('gives sequences back in their order, and gradients with them', () => {
    const [a, b] = [arange(2, { dtype: 'float32' }).requiresGrad_(), ones([3])];
    const back = unpackSequence(packSequence([a, b], { enforceSorted: false }));
    expect(back.map((t) => t.toArraySync())).toEqual([
      [0, 1],
      [1, 1, 1],
    ]);
    back[0]?.sum().backward();
    expect(a.grad?.toArraySync()).toEqual([1, 1]);
    const padded = padSequence([a.detach(), b]);
    expect(unpadSequence(padded, [2, 3]).map((t) => t.shape)).toEqual([[2], [3]]);
    expect(() => unpadSequence(padded, [2, 4])).toThrow(/do not fit/);
  });
});
