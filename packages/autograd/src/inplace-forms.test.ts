import { RuntimeError, type Tensor, tensor, zeros } from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

const values = () =>
  tensor([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ]);
const square = () =>
  tensor([
    [0.5, -1, 2],
    [1, 0, -2],
    [3, 1, 1],
  ]);
const vector = () => tensor([1, -2, 0.5]);

type Form = (x: Tensor, inPlace: boolean) => Tensor;

/** Operations composed of others, and operations that look at the same memory differently. */
const forms: Readonly<Record<string, Form>> = {
  addmm: (x, i) => x[i ? 'addmm_' : 'addmm'](square(), square(), { beta: 2, alpha: 3 }),
  addmv: (x, i) => x[i ? 'addmv_' : 'addmv'](square(), vector()),
  addr: (x, i) => x[i ? 'addr_' : 'addr'](vector(), vector(), { alpha: 2 }),
  ldexp: (x, i) => x[i ? 'ldexp_' : 'ldexp'](vector()),
  mvlgamma: (x, i) => x[i ? 'mvlgamma_' : 'mvlgamma'](2),
  polygamma: (x, i) => x[i ? 'polygamma_' : 'polygamma'](1),
  renorm: (x, i) => x[i ? 'renorm_' : 'renorm'](2, 0, 5),
  arctan: (x, i) => x[i ? 'arctan_' : 'arctan'](),
  clip: (x, i) => x[i ? 'clip_' : 'clip'](2, 7),
  multiply: (x, i) => x[i ? 'multiply_' : 'multiply'](vector()),
  transpose: (x, i) => x[i ? 'transpose_' : 'transpose'](0, 1),
  t: (x, i) => x[i ? 't_' : 't'](),
  unsqueeze: (x, i) => x[i ? 'unsqueeze_' : 'unsqueeze'](1),
  squeeze: (x, i) => (i ? x.unsqueeze_(0).squeeze_(0) : x.unsqueeze(0).squeeze(0)),
  asStrided: (x, i) => x[i ? 'asStrided_' : 'asStrided']([2, 2], [3, 2], 1),
};

test.each(Object.entries(forms))(
  '%s_ gives the values and gradients of the copied form',
  (_, form) => {
    const leaves = [values().requiresGrad_(), values().requiresGrad_()] as const;
    const weights = () => vector();
    const results = leaves.map((leaf, i) => {
      const own = leaf.mul(2);
      const result = form(own, i === 1);
      if (i === 1) expect(result).toBe(own);
      const rows = result.shape.at(-1) === 3 ? result.mul(weights()) : result.mul(3);
      rows.sum().backward();
      return result;
    });
    expect(results[1]?.shape).toEqual(results[0]?.shape);
    expect(results[1]?.toArraySync()).toEqual(results[0]?.toArraySync());
    expect(leaves[1].grad?.toArraySync()).toEqual(leaves[0].grad?.toArraySync());
    expect(() => form(values().requiresGrad_(), true)).toThrow(/leaf Variable that requires grad/);
  },
);

test('a view takes another shape over the memory of its base', () => {
  const recorded = values().requiresGrad_().mul(1).narrow(0, 0, 2).t_();
  expect([recorded.shape, recorded.gradFn?.name]).toEqual([[3, 2], 'TransposeBackward1']);
  const plain = values();
  const view = plain.narrow(0, 0, 2).t_();
  view.fill_(0);
  expect(plain.toArraySync()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
    [7, 8, 9],
  ]);
});

test('floatPower_ needs a tensor of the dtype of its result', () => {
  const wide = tensor([2, 3], { dtype: 'float64' });
  expect(wide.floatPower_(2).toArraySync()).toEqual([4, 9]);
  expect(() => tensor([2, 3]).floatPower_(2)).toThrow('requires dtype float64');
});

test('what is written in place fits the tensor', () => {
  expect(() => vector().addmv_(square().narrow(0, 0, 2), vector())).toThrow(RuntimeError);
});

test('fillDiagonal_ goes on after a gap where asked to', () => {
  const tall = zeros([7, 2]);
  expect(tall.fillDiagonal_(1, true).sum(1).toArraySync()).toEqual([1, 1, 0, 1, 1, 0, 1]);
  expect(zeros([7, 2]).fillDiagonal_(1).sum().itemSync()).toBe(2);
  expect(zeros([2, 2, 2]).fillDiagonal_(3).sum().itemSync()).toBe(6);
  expect(() => zeros([2, 2, 3]).fillDiagonal_(3)).toThrow('equal length');
});
