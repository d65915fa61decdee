import { type Tensor, tensor } from '@sconce/core';
import { expect, it } from 'vitest';
import { Parameter, utils } from '../index.js';

const { clipGradNorm_, clipGradValue_ } = utils;

function parameterWith(grad: number[]): Parameter {
  const p = new Parameter(tensor(grad.map(() => 0)));
  p.grad = tensor(grad);
  return p;
}

const gradOf = (p: Parameter): number[] =>
  Array.from((p.grad as Tensor).toTypedArraySync(), Number).map((x) => Math.round(x * 1e5) / 1e5);

it('clipGradNorm_ scales all gradients alike', () => {
  const [a, b, none] = [parameterWith([3, 0]), parameterWith([4]), new Parameter(tensor([1]))];
  expect(clipGradNorm_([a, b, none], 1).itemSync()).toBe(5);
  expect([gradOf(a), gradOf(b)]).toEqual([[0.6, 0], [0.8]]);
  expect(clipGradNorm_([a, b], 2).itemSync()).toBeCloseTo(1, 5);
  expect([gradOf(a), gradOf(b)]).toEqual([[0.6, 0], [0.8]]);
});

it('clipGradNorm_ takes other norms, and one parameter', () => {
  const a = parameterWith([3, -4]);
  expect(clipGradNorm_(a, 2, { normType: Number.POSITIVE_INFINITY }).itemSync()).toBe(4);
  expect(gradOf(a)).toEqual([1.5, -2]);
  expect(clipGradNorm_(a, 7, { normType: 1 }).itemSync()).toBeCloseTo(3.5, 5);
  expect(clipGradNorm_([], 1).itemSync()).toBe(0);
});

it('clipGradNorm_ refuses norms that are not finite, if asked', () => {
  const a = parameterWith([Number.NaN]);
  expect(() => clipGradNorm_(a, 1, { errorIfNonfinite: true })).toThrow('non-finite');
});

it('clipGradValue_ clamps', () => {
  const a = parameterWith([3, -4, 0.5]);
  clipGradValue_([a], 1);
  expect(gradOf(a)).toEqual([1, -1, 0.5]);
});
