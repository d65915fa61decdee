import { ones, type Tensor, tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { noGrad } from './index.js';

// Programs in which PyTorch 1.13 was asked what happens.

const leaf = (...values: number[]): Tensor => tensor(values).requiresGrad_();
const values = (t: Tensor | null): unknown => t?.toArraySync() ?? null;

describe('leaves that change after they were used', () => {
  it('gather nothing once they require no gradient', () => {
    const x = leaf(1, 2);
    const loss = x.mul(3).sum();
    x.requiresGrad_(false);
    loss.backward();
    expect(x.grad).toBeNull();
    const y = leaf(1, 2);
    const other = y.mul(3).sum();
    y.detach_();
    other.backward();
    expect(y.grad).toBeNull();
  });

  it('raise once they are results themselves', () => {
    const [x, y] = [leaf(1, 2), leaf(3, 4)];
    const loss = x.mul(3).sum();
    x.detach_();
    x.copy_(y);
    expect(() => loss.backward()).toThrow('leaf variable has been moved into the graph interior');
  });
});

describe('views made under noGrad', () => {
  it('may become leaves of their own', () => {
    const x = leaf(1, 2, 3, 4);
    const v = noGrad(() => x.view(2, 2));
    expect([v.requiresGrad, v.isLeaf]).toEqual([true, true]);
    v.mul(3).sum().backward();
    expect([values(v.grad), values(x.grad)]).toEqual([null, null]);
    v.requiresGrad_();
    v.mul(3).sum().backward();
    expect(values(v.grad)).toEqual([
      [3, 3],
      [3, 3],
    ]);
    expect(x.grad).toBeNull();
  });

  it('let what is saved of them be checked, although no gradient goes on', () => {
    const v = noGrad(() => leaf(1, 2).unsqueeze(0));
    const y = v.tanh();
    y.add_(1);
    expect(() => y.sum().backward()).toThrow('which is output 0 of TanhBackward0, is at version 1');
  });
});

describe('several views of one operation', () => {
  it('refuse to be written through while recording, also where nothing was recorded before', () => {
    const [part] = ones([4]).chunk(2) as [Tensor, Tensor];
    expect(() => part.add_(leaf(1, 2))).toThrow(
      'This view is the output of a function that returns multiple views.',
    );
    part.add_(ones([2]));
    expect(values(part)).toEqual([2, 2]);
    const [split] = ones([4]).tensorSplit(2) as [Tensor, Tensor];
    split.add_(leaf(1, 2));
    expect(split.requiresGrad).toBe(true);
  });

  it('can be asked to require gradients when they are out of date', () => {
    const v = leaf(1, 2, 3, 4).mul(1).view(2, 2);
    const [, second] = v.unbind(0) as [Tensor, Tensor];
    v.square_();
    expect(() => second.requiresGrad_()).not.toThrow();
    expect(() => second.sum()).toThrow('Output 1 of UnbindBackward0 is a view and its base');
  });
});

it('a view keeps a node when its base is detached', () => {
  const base = leaf(1, 2, 3).exp();
  const view = base.narrow(0, 1, 1);
  base.add_(1);
  base.detach_();
  expect(base.requiresGrad).toBe(false);
  expect(view.gradFn?.name).toBe('AsStridedBackward0');
  expect(view.requiresGrad).toBe(true);
  expect(() => view.sum().backward()).not.toThrow();
});

it('of several arguments that were changed the first is reported', () => {
  const a = leaf(1, 2).mul(1);
  const b = leaf(3, 4).exp();
  const y = a.mul(b);
  a.add_(1);
  b.add_(1);
  expect(() => y.sum().backward()).toThrow('which is output 0 of AddBackward0');
  const [c, d] = [leaf(1, 2).mul(1), leaf(3, 4).exp()];
  const z = c.mul(d);
  d.neg_();
  c.sin_();
  expect(() => z.sum().backward()).toThrow('which is output 0 of SinBackward0');
});

describe('views that get another shape in place', () => {
  it('have it in their own history, and leave that of the base alone', () => {
    const x = tensor([
      [0, 1, 2],
      [3, 4, 5],
    ]).requiresGrad_();
    const base = x.clone();
    const view = base.transpose(0, 1);
    view.transpose_(0, 1);
    expect([view.shape, view.gradFn?.name, base.gradFn?.name, base.version]).toEqual([
      [2, 3],
      'TransposeBackward1',
      'CloneBackward0',
      1,
    ]);
    const weights = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    view.mul(weights).sum().add(base.mul(weights).mul(10).sum()).backward();
    expect(values(x.grad)).toEqual([
      [11, 22, 33],
      [44, 55, 66],
    ]);
  });

  it('can be written through afterwards', () => {
    const x = leaf(1, 2, 3, 4);
    const base = x.mul(1);
    const view = base.view(2, 2);
    view.transpose_(0, 1);
    view.mul_(
      tensor([
        [1, 2],
        [3, 4],
      ]),
    );
    expect(values(base)).toEqual([1, 6, 6, 16]);
    expect(view.gradFn?.name).toBe('AsStridedBackward0');
    base.sum().backward();
    expect(values(x.grad)).toEqual([1, 3, 2, 4]);
  });

  it('are refused where writes are', () => {
    const x = leaf(1, 2, 3, 4);
    expect(() => x.view(2, 2).transpose_(0, 1)).toThrow('a view of a leaf Variable');
    const [part] = x.mul(1).chunk(2) as [Tensor, Tensor];
    expect(() => part.unsqueeze_(0)).toThrow('is a view and is being modified inplace');
  });
});
