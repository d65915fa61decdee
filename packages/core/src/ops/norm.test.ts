import { describe, expect, it, test } from 'vitest';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  nativeBatchNorm,
  nativeLayerNorm,
  ones,
  rmsNorm,
  type Tensor,
  tensor,
  zeros,
} from '../index.js';

const flat = (t: Tensor): number[] => (t.toArraySync() as never[]).flat(9) as number[];
function close(got: Tensor, want: readonly number[]): void {
  const values = flat(got);
  expect(values.length).toBe(want.length);
  want.forEach((v, i) => {
    expect(values[i]).toBeCloseTo(v, 5);
  });
}
const r = 1 / Math.sqrt(1 + 1e-5);

describe('batchNorm', () => {
  const x = (): Tensor =>
    tensor([
      [1, 10],
      [3, 30],
    ]);

  it('takes batches without values, and refuses single ones', () => {
    const nothing = tensor([]);
    expect(batchNorm(nothing, nothing, nothing, null, null, { training: true }).shape).toEqual([0]);
    const one = ones([1, 3, 1]);
    expect(() => batchNorm(one, null, null, null, null, { training: true })).toThrow(/more than 1/);
  });

  it('normalises channels by the batch, and moves the running statistics', () => {
    const [mean, variance] = [zeros([2]), ones([2])];
    const y = batchNorm(x(), mean, variance, tensor([1, 2]), tensor([0, 5]), {
      training: true,
      momentum: 0.5,
    });
    close(y, [-r, 3, r, 7]);
    expect(mean.toArraySync()).toEqual([1, 10]);
    // The running variance is unbiased.
    expect(variance.toArraySync()).toEqual([1.5, 100.5]);
    expect(mean.version).toBe(1);
  });

  it('uses the running statistics in evaluation, and leaves them alone', () => {
    const [mean, variance] = [tensor([1, 10]), tensor([4, 100])];
    close(batchNorm(x(), mean, variance), [0, 0, 1, 2]);
    expect(mean.version).toBe(0);
  });

  it('gives mean and 1 / deviation in training', () => {
    const [, mean, rstd] = nativeBatchNorm(x(), null, null, null, null, true, 0.1, 0);
    close(mean, [2, 20]);
    close(rstd, [1, 0.1]);
  });

  it('says what does not fit', () => {
    expect(() => batchNorm(x(), zeros([3]), ones([3]))).toThrow(
      'running_mean should contain 2 elements not 3',
    );
    expect(() => batchNorm(x(), null, null)).toThrow('Expected running_mean and running_var');
    expect(() => batchNorm(tensor([[1, 2]]), null, null, null, null, { training: true })).toThrow(
      'Expected more than 1 value per channel',
    );
  });
});

describe('layerNorm', () => {
  it('normalises the last dimensions', () => {
    const x = tensor([
      [1, 3],
      [5, 5],
    ]);
    close(layerNorm(x, [2]), [-r, r, 0, 0]);
    close(layerNorm(x, [2], tensor([1, 2]), tensor([0, 1])), [-r, 2 * r + 1, 0, 1]);
    close(
      layerNorm(
        tensor([
          [
            [1, 3],
            [1, 3],
          ],
        ]),
        [2, 2],
      ),
      [-r, r, -r, r],
    );
    expect(() => layerNorm(x, [3])).toThrow(
      'layerNorm: Given normalized_shape=[3], expected input with shape [*, 3], but got input of size [2, 2]',
    );
  });

  it('keeps its accuracy far from zero', () => {
    close(layerNorm(tensor([[10001, 10003]]), [2]), [-r, r]);
  });
});

describe('groupNorm and instanceNorm', () => {
  it('normalise groups of channels, and each channel of each instance', () => {
    const x = tensor([[[1], [3], [10], [30]]]);
    close(groupNorm(x, 2, null, null, { eps: 0 }), [-1, 1, -1, 1]);
    close(groupNorm(x, 2, tensor([1, 2, 3, 4]), tensor([0, 0, 1, 1]), { eps: 0 }), [-1, 2, -2, 5]);
    expect(() => groupNorm(x, 3)).toThrow('divisible by num_groups');
    close(
      instanceNorm(
        tensor([
          [
            [1, 3],
            [5, 9],
          ],
        ]),
        { eps: 0 },
      ),
      [-1, 1, -1, 1],
    );
    const [mean, variance] = [zeros([2]), ones([2])];
    instanceNorm(
      tensor([
        [
          [1, 3],
          [5, 9],
        ],
      ]),
      { runningMean: mean, runningVar: variance, momentum: 0.5 },
    );
    close(mean, [1, 3.5]);
    close(variance, [1.5, 4.5]);
  });
});

describe('rmsNorm and localResponseNorm', () => {
  it('divide by the root of the mean square', () => {
    close(rmsNorm(tensor([[3, 4]]), [2], null, { eps: 0 }), [
      3 / Math.sqrt(12.5),
      4 / Math.sqrt(12.5),
    ]);
    const y = localResponseNorm(tensor([[[1], [2], [3]]]), 3, { alpha: 3, beta: 1, k: 1 });
    close(y, [1 / 6, 2 / 15, 3 / 14]);
  });
});

test('nativeLayerNorm refuses shapes that do not agree', () => {
  const x = ones([1, 2, 3]);
  expect(() => nativeLayerNorm(x, [], null, null, 1e-5)).toThrow(/at least 1-dimensional/);
  expect(() => nativeLayerNorm(x, [2, 3], ones([3]), null, 1e-5)).toThrow(/same shape/);
});

describe('statistics are of the dtype of the input', () => {
  const narrow = () => tensor([[1, 2, 6]], { dtype: 'bfloat16' });
  const vector = (dtype: 'bfloat16' | 'float32') => ones([3], { dtype });
  const batch = (dtype: 'bfloat16' | 'float32', training: boolean) => {
    const [running, weight] = [vector(dtype), vector(dtype)];
    return nativeBatchNorm(narrow(), weight, weight, running, running.clone(), training, 0.1, 1e-5);
  };

  it('unless parameters are wider', () => {
    const layer = (weight: Tensor | null) => {
      const { out, mean, rstd } = nativeLayerNorm(narrow(), [3], weight, weight, 1e-5);
      return [out, mean, rstd].map((t) => t.dtype);
    };
    expect(layer(null)).toEqual(['bfloat16', 'bfloat16', 'bfloat16']);
    expect(layer(vector('bfloat16'))).toEqual(['bfloat16', 'bfloat16', 'bfloat16']);
    expect(layer(vector('float32'))).toEqual(['bfloat16', 'float32', 'float32']);
    for (const training of [true, false]) {
      const dtypes = (dtype: 'bfloat16' | 'float32') => batch(dtype, training).map((t) => t.dtype);
      expect(dtypes('bfloat16')).toEqual(['bfloat16', 'bfloat16', 'bfloat16']);
      expect(dtypes('float32')).toEqual(['bfloat16', 'float32', 'float32']);
    }
    expect(flat(nativeLayerNorm(narrow(), [3], null, null, 1e-5).rstd)).toEqual([0.462890625]);
  });
});

test('rmsNorm adds the epsilon of the dtype, and looks at the shape', () => {
  // From PyTorch 2.15: torch.nn.functional.rms_norm(x, [3]).
  const x = tensor([1e-3, 2e-3, 3e-3]);
  const values = rmsNorm(x, [3]).toArraySync() as number[];
  [0.4571, 0.9142, 1.3713].forEach((value, i) => expect(values[i]).toBeCloseTo(value, 4));
  expect(() => rmsNorm(x, [7])).toThrow('rmsNorm: Given normalized_shape=[7]');
});
