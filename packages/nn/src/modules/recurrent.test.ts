import { arange, manualSeed, type Tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from '../index.js';

// Expected numbers are PyTorch 1.13's with the same seed.

/** sin(0), sin(0.7), sin(1.4), ... */
const waves = (...shape: number[]): Tensor =>
  arange(shape.reduce((a, b) => a * b))
    .mul(0.7)
    .sin()
    .reshape(shape);

function expectValues(actual: Tensor, expected: readonly number[]): void {
  const own = actual.detach().flatten().toArraySync() as number[];
  expect(own.length).toBe(expected.length);
  for (const [i, value] of own.entries()) expect(value).toBeCloseTo(expected[i] as number, 4);
}

describe('cells', () => {
  it('RNNCell with relu', () => {
    manualSeed(1);
    const cell = new RNNCell(3, 2, { nonlinearity: 'relu' });
    expectValues(cell(waves(2, 3)), [0.11823, 0, 0.71242, 0]);
    expect([...cell.stateDict().keys()]).toEqual(['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']);
    expect(cell.toString()).toBe('RNNCell(3, 2, nonlinearity=relu)');
  });

  it('LSTMCell', () => {
    manualSeed(1);
    const [h, c] = new LSTMCell(3, 2)(waves(2, 3), [waves(2, 2), waves(2, 2).mul(0.5)]);
    expectValues(h, [-0.15757, 0.10707, 0.18402, -0.06995]);
    expectValues(c, [-0.30424, 0.19852, 0.22735, -0.11337]);
  });

  it('GRUCell without a batch', () => {
    manualSeed(1);
    const h = new GRUCell(3, 2)(waves(3), waves(2));
    expect(h.shape).toEqual([2]);
    expectValues(h, [-0.08084, 0.00867]);
  });

  it('refuse inputs and states that do not fit', () => {
    const cell = new GRUCell(3, 2, { bias: false });
    expect(cell.toString()).toBe('GRUCell(3, 2, bias=False)');
    expect(() => cell(zeros([1, 2, 3]))).toThrow(
      'GRUCell: Expected input to be 1-D or 2-D but received 3-D tensor',
    );
    expect(() => cell(zeros([2, 4]))).toThrow('got 4 expected 3');
    expect(() => cell(zeros([2, 3]), zeros([3, 2]))).toThrow(
      'GRUCell: hidden state [3, 2] does not fit input [2, 3], expected [2, 2]',
    );
  });
});

describe('RNN', () => {
  it('stacks layers', () => {
    manualSeed(2);
    const rnn = new RNN(3, 2, { numLayers: 2, bias: false });
    const [output, hidden] = rnn(waves(3, 2, 3));
    expect(output.shape).toEqual([3, 2, 2]);
    expectValues(
      output,
      [
        0.0239, 0.18487, 0.00197, 0.00391, 0.00365, -0.31331, 0.02452, 0.18452, -0.04883, 0.23556,
        0.0038, -0.31213,
      ],
    );
    expectValues(
      hidden,
      [0.32237, 0.27396, -0.29245, -0.51669, -0.04883, 0.23556, 0.0038, -0.31213],
    );
  });

  it('refuses what does not fit', () => {
    expect(() => new RNN(3, 2, { nonlinearity: 'sigmoid' as 'relu' })).toThrow(
      "RNN: option 'nonlinearity' must be 'relu' or 'tanh', got the string 'sigmoid'",
    );
    expect(() => new RNN(3, 2, { dropout: 2 })).toThrow('dropout should be in range [0, 1]');
    const rnn = new RNN(3, 2);
    expect(() => rnn(zeros([5, 1, 4]))).toThrow('Expected 3, got 4');
    expect(() => rnn(zeros([3]))).toThrow('Expected input to be 2-D or 3-D');
    expect(() => rnn(zeros([0, 1, 3]))).toThrow('sequence length to be larger than 0');
    expect(() => rnn(zeros([5, 1, 3]), zeros([1, 2, 2]))).toThrow(
      'RNN: Expected hidden size [1, 1, 2], got [1, 2, 2]',
    );
  });
});

describe('LSTM', () => {
  it('runs both ways with projections', () => {
    manualSeed(2);
    const lstm = new LSTM(3, 3, {
      numLayers: 2,
      bidirectional: true,
      batchFirst: true,
      projSize: 2,
    });
    const [output, [h, c]] = lstm(waves(2, 2, 3));
    expect([output.shape, h.shape, c.shape]).toEqual([
      [2, 2, 4],
      [4, 2, 2],
      [4, 2, 3],
    ]);
    expectValues(
      output,
      [
        -0.00436, 0.05765, -0.11964, -0.08321, -0.00508, 0.08561, -0.08735, -0.07032, -0.00501,
        0.05663, -0.11037, -0.09273, -0.00686, 0.08352, -0.07993, -0.076,
      ],
    );
    expectValues(
      h,
      [
        0.01927, -0.01545, 0.01237, -0.01255, 0.07723, -0.06832, -0.00474, 0.02454, -0.00508,
        0.08561, -0.00686, 0.08352, -0.11964, -0.08321, -0.11037, -0.09273,
      ],
    );
    expectValues(
      c,
      [
        0.0864, -0.49837, 0.22704, -0.04042, -0.43417, 0.23078, -0.24156, -0.40097, 0.00193,
        -0.37755, -0.05913, 0.37122, 0.37351, 0.26711, -0.16967, 0.35982, 0.28906, -0.14272,
        0.63217, -0.35443, -0.3252, 0.63333, -0.30456, -0.3171,
      ],
    );
    expect([...lstm.stateDict().keys()].slice(3, 7)).toEqual([
      'bias_hh_l0',
      'weight_hr_l0',
      'weight_ih_l0_reverse',
      'weight_hh_l0_reverse',
    ]);
    expect(lstm.allWeights.map((weights) => weights.length)).toEqual([5, 5, 5, 5]);
    expect(lstm.toString()).toBe(
      'LSTM(3, 3, proj_size=2, num_layers=2, batch_first=True, bidirectional=True)',
    );
    output.sum().backward();
    expectValues(
      lstm.allWeights[0]?.[4]?.grad as Tensor,
      [-0.0013, 0.02558, -0.03773, 0.0017, -0.02763, 0.04173],
    );
  });

  it('drops between layers as PyTorch does', () => {
    manualSeed(3);
    const lstm = new LSTM(2, 3, { numLayers: 2, dropout: 0.5 });
    const [output] = lstm(waves(2, 1, 2));
    expectValues(output, [0.0617, 0.15301, -0.13495, 0.10156, 0.21262, -0.22107]);
    expect(lstm.toString()).toBe('LSTM(2, 3, num_layers=2, dropout=0.5)');
  });

  it('refuses projections that do not narrow', () => {
    expect(() => new LSTM(3, 2, { projSize: 2 })).toThrow(
      'LSTM: proj_size has to be smaller than hidden_size, got 2 and 2',
    );
  });
});

describe('GRU', () => {
  it('runs both ways from a state, without a batch', () => {
    manualSeed(2);
    const [output, hidden] = new GRU(3, 2, { bidirectional: true })(waves(3, 3), waves(2, 2));
    expect([output.shape, hidden.shape]).toEqual([
      [3, 4],
      [2, 2],
    ]);
    expectValues(
      output,
      [
        0.08933, 0.06777, 0.17784, -0.5022, 0.02149, -0.00283, 0.39457, -0.60091, -0.16098,
        -0.24678, 0.75057, -0.57244,
      ],
    );
    expectValues(hidden, [-0.16098, -0.24678, 0.17784, -0.5022]);
  });
});
