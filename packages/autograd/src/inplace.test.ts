import { ones, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import { gradcheck, inferenceMode, noGrad } from './index.js';

const real = (data: number[] | number[][]) =>
  tensor(data, { dtype: 'float32', requiresGrad: true });
const values = (t: Tensor | null | undefined) => t?.toArraySync();
const changed = (type: string, shape: string, node: string, at: number, expected: number) =>
  `one of the variables needed for gradient computation has been modified by an inplace operation: [torch.${type} [${shape}]]${node && `, which is output 0 of ${node},`} is at version ${at}; expected version ${expected} instead.`;

describe('version checks', () => {
  test('a result that was saved', () => {
    const a = real([1, 2, 3]);
    const out = a.sigmoid();
    out.detach().zero_();
    expect(() => out.sum().backward()).toThrow(
      changed('FloatTensor', '3', 'SigmoidBackward0', 1, 0),
    );
  });

  test('.data is not noticed', () => {
    const a = real([1, 2, 3]);
    const out = a.sigmoid();
    out.data.zero_();
    expect(out.version).toBe(0);
    out.sum().backward();
    expect(values(a.grad)).toEqual([0, 0, 0]);
  });

  test('a result that was not saved', () => {
    const a = real([1, 2, 3]);
    const out = a.pow(2);
    out.detach().zero_();
    out.sum().backward();
    expect(values(a.grad)).toEqual([2, 4, 6]);
  });

  test('a leaf that was saved', () => {
    const w = real([2]);
    const x = real([3]);
    const y = w.mul(x);
    noGrad(() => w.sub_(0.1));
    expect(() => y.backward()).toThrow(changed('FloatTensor', '1', '', 1, 0));
  });

  test('only what the inputs that require grad need is saved', () => {
    const w = tensor([2], { dtype: 'float32' });
    const x = real([3]);
    const y = w.mul(x);
    noGrad(() => x.add_(1));
    y.backward();
    expect(values(x.grad)).toEqual([2]);
  });

  test('a saved result that is then overwritten by a recorded operation', () => {
    const b = real([-1, 2]).sigmoid();
    b.relu_();
    expect(() => b.sum().backward()).toThrow(changed('FloatTensor', '2', 'SigmoidBackward0', 1, 0));
  });

  test('a view that was saved', () => {
    const b = real([1, 2, 3]).mul(2);
    const v = b.narrow(0, 0, 2);
    const y = v.mul(v);
    b.add_(1);
    expect(() => y.sum().backward()).toThrow(
      changed('FloatTensor', '2', 'AsStridedBackward0', 1, 0),
    );
  });
});

describe('in-place operations', () => {
  test('on leaves that require grad, and on views of them', () => {
    const a = real([
      [1, 2],
      [3, 4],
    ]);
    expect(() => a.add_(1)).toThrow(
      'a leaf Variable that requires grad is being used in an in-place operation.',
    );
    expect(() => a.select(0, 0).mul_(2)).toThrow(
      'a view of a leaf Variable that requires grad is being used in an in-place operation.',
    );
    noGrad(() => a.add_(1));
    expect(values(a)).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(a.isLeaf).toBe(true);
  });

  test('become the history of what they overwrite', () => {
    const a = real([0.5, 1.5]);
    const b = a.mul(2);
    b.add_(1);
    expect(b.gradFn?.name).toBe('AddBackward0');
    b.mul(b).sum().backward();
    expect(values(a.grad)).toEqual([8, 16]);
  });

  test('that need the value they overwrite keep a copy of it', () => {
    const a = real([2, 3]);
    const w = real([4, 5]);
    const b = a.mul(1);
    b.mul_(w);
    b.pow_(2);
    b.sum().backward();
    expect(values(a.grad)).toEqual([2 * 8 * 4, 2 * 15 * 5]);
    expect(values(w.grad)).toEqual([2 * 8 * 2, 2 * 15 * 3]);
  });

  test('bring what did not require grad into the graph', () => {
    const a = real([1, 2]);
    const b = zeros([2]);
    b.copy_(a);
    expect(b.requiresGrad).toBe(true);
    b.mul(b).sum().backward();
    expect(values(a.grad)).toEqual([2, 4]);
  });

  test('through a view become the history of its base', () => {
    const a = real([1, 2]);
    const b = zeros([3]);
    const other = b.narrow(0, 1, 1);
    b.narrow(0, 1, 2).copy_(a.mul(a));
    expect(b.gradFn?.name).toBe('CopySlices');
    expect(other.requiresGrad).toBe(true);
    expect(other.gradFn?.name).toBe('AsStridedBackward0');
    b.sum().add(other.sum()).backward();
    expect(values(a.grad)).toEqual([4, 4]);
  });

  test('on a base show in the gradients of its views', () => {
    const a = real([1, 2, 3]);
    const b = a.mul(2);
    const v = b.narrow(0, 0, 2);
    b.mul_(3);
    v.sum().backward();
    expect(values(v)).toEqual([6, 12]);
    expect(values(a.grad)).toEqual([6, 6, 0]);
  });

  test('through transposed, strided and overlapping views', () => {
    gradcheck(
      (x) => {
        const y = x.mul(1);
        y.t().narrow(0, 1, 2).mul_(3);
        y.view(-1).slice(0, 1, 6, 2).sin_();
        return y;
      },
      [
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: 'float64', requiresGrad: true },
        ),
      ],
    );
    gradcheck(
      (x, s) => {
        const y = x.mul(1);
        y.diagonal().copy_(s);
        return y.unfold(1, 2, 1).mul(2);
      },
      [
        tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: 'float64', requiresGrad: true },
        ),
        tensor([7, 8], { dtype: 'float64', requiresGrad: true }),
      ],
    );
  });

  test('through one of several views of one operation', () => {
    const [x] = real([1, 2, 3, 4]).mul(2).chunk(2) as [Tensor];
    expect(() => x.mul_(3)).toThrow(
      'Output 0 of SplitBackward0 is a view and is being modified inplace. This view is the output of a function that returns multiple views.',
    );
  });

  test('through a view made without gradients', () => {
    const b = real([
      [1, 2],
      [3, 4],
    ]).mul(2);
    const v = noGrad(() => b.select(0, 0));
    expect(() => v.mul_(3)).toThrow(
      'A view was created in no_grad mode and is being modified inplace with grad mode enabled.',
    );
    noGrad(() => v.mul_(3));
    expect(values(b)).toEqual([
      [6, 12],
      [6, 8],
    ]);
    expect(() => v.gradFn).toThrow(
      'its base or another view of its base has been modified inplace',
    );
  });

  test('on expanded tensors, and of results that do not fit', () => {
    expect(() => real([1]).mul(2).expand(3).add_(1)).toThrow(
      'unsupported operation: more than one element of the written-to tensor refers to a single memory location',
    );
    const a = ones([2]);
    expect(() => a.add_(ones([3, 2]))).toThrow(
      "output with shape [2] doesn't match the broadcast shape [3, 2]",
    );
  });

  test('count', () => {
    const a = ones([2, 2]);
    const v = a.select(0, 0);
    a.add_(1);
    v.mul_(2);
    a.detach().zero_();
    expect([a.version, v.version, a.detach().version]).toEqual([3, 3, 3]);
  });
});

describe('inference mode', () => {
  test('makes tensors that cannot be saved or changed outside', () => {
    const a = real([1, 2]);
    const b = inferenceMode(() => a.mul(2));
    expect([b.isInference(), b.requiresGrad]).toEqual([true, false]);
    expect(() => b.mul(a)).toThrow('Inference tensors cannot be saved for backward.');
    expect(() => b.add_(1)).toThrow('Inplace update to inference tensor outside InferenceMode');
    expect(() => b.requiresGrad_()).toThrow('Setting requires_grad=True on inference tensor');
    b.clone().mul(a).sum().backward();
    expect(values(a.grad)).toEqual([2, 4]);
  });
});
