import { computeType, type DType } from '../dtype.js';
import { execute } from '../execute.js';
import { cast, constant, coord, type Expr, e, load, scalar } from '../expr.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { int, memo } from './plan.js';

/** How `upsample` finds values between positions; `linear` in every dimension. */
export type UpsampleMode = 'nearest' | 'nearestExact' | 'linear' | 'cubic';

interface Taps {
  readonly at: readonly Expr[];
  readonly weights: readonly Expr[];
}

/** The convolution coefficients of cubic interpolation with a = -0.75. */
export function cubicWeights(t: Expr): Expr[] {
  const a = -0.75;
  const near = (x: Expr) => e.add(e.mul(e.mul(e.sub(e.mul(x, a + 2), a + 3), x), x), 1);
  const far = (x: Expr) =>
    e.sub(e.mul(e.add(e.mul(e.sub(e.mul(x, a), 5 * a), x), 8 * a), x), 4 * a);
  const rest = e.sub(constant(1, t.dtype), t);
  return [far(e.add(t, 1)), near(t), near(rest), far(e.add(rest, 1))];
}

/** Positions and weights for output position `coord(axis)`; scalars: size at 2i, factor at 2i + 1. */
function tapsOf(
  mode: UpsampleMode,
  aligned: boolean,
  i: number,
  axis: number,
  type: 'float32' | 'float64',
  dims: number,
): Taps {
  const last = e.sub(int(2 * i), 1);
  if (mode === 'nearest' || mode === 'nearestExact') {
    // As in PyTorch, positions are float32 when they are cut off, and from the beginning in images.
    const exact = dims === 2 ? 'float32' : type;
    const o = cast(coord(axis), exact);
    const at = e.mul(mode === 'nearest' ? o : e.add(o, 0.5), scalar(2 * i + 1, exact));
    const floor = cast(e.floor(cast(at, 'float32')), 'int32');
    return { at: [e.min(floor, last)], weights: [constant(1, type)] };
  }
  const factor = scalar(2 * i + 1, type);
  const o = cast(coord(axis), type);
  const one = constant(1, type);
  const between = aligned ? e.mul(o, factor) : e.sub(e.mul(e.add(o, 0.5), factor), 0.5);
  if (mode === 'linear') {
    const source = aligned ? between : e.max(between, 0);
    const low = e.min(cast(source, 'int32'), last);
    const t = e.min(e.max(e.sub(source, cast(low, type)), 0), 1);
    return { at: [low, e.min(e.add(low, 1), last)], weights: [e.sub(one, t), t] };
  }
  const floor = e.floor(between);
  const base = cast(floor, 'int32');
  return {
    at: [-1, 0, 1, 2].map((k) => e.min(e.max(e.add(base, k), 0), last)),
    weights: cubicWeights(e.sub(between, floor)),
  };
}

const forwardPlan = memo(
  (dtype: DType, dims: number, mode: UpsampleMode, aligned: boolean): Expr => {
    const type = computeType(dtype) as 'float32' | 'float64';
    const real = type === 'float32' || type === 'float64';
    const taps = Array.from({ length: dims }, (_, i) =>
      tapsOf(mode, aligned, i, i + 2, real ? type : 'float32', dims),
    );
    const value = (i: number, at: readonly Expr[]): Expr => {
      if (i === dims) return load(0, type, at);
      const { at: places, weights } = taps[i] as Taps;
      if (places.length === 1) return value(i + 1, [...at, places[0] as Expr]);
      return places
        .map((place, k) => e.mul(value(i + 1, [...at, place]), weights[k] as Expr))
        .reduce((sum, x) => e.add(sum, x));
    };
    return value(0, [coord(0), coord(1)]);
  },
);

const scalarsOf = (size: readonly number[], factors: readonly number[]): number[] =>
  size.flatMap((length, i) => [length, factors[i] as number]);

/**
 * [N, C, ...] at another resolution; `factors` are the distances between the source positions of neighbours,
 * which start at the first element (`aligned`) or half a step from the edge.
 */
export const upsample: (
  self: Tensor,
  outputSize: readonly number[],
  mode: UpsampleMode,
  aligned: boolean,
  factors: readonly number[],
) => Tensor = op(
  'upsample',
  'self outputSize interpolation aligned factors',
  (self: Tensor, outputSize, mode: UpsampleMode, aligned: boolean, factors): Tensor => {
    const shape = [...self.shape.slice(0, 2), ...outputSize];
    const result = allocate(shape, self.dtype, self.device);
    if (numel(shape) === 0) return result;
    execute({
      kind: 'map',
      shape,
      inputs: [self],
      scalars: scalarsOf(self.shape.slice(2), factors),
      values: [forwardPlan(self.dtype, outputSize.length, mode, aligned)],
      outputs: [result],
    });
    return result;
  },
);

const choose = (list: readonly Expr[], which: Expr): Expr =>
  list.reduceRight((rest, x, k) => e.where(e.eq(which, k), x, rest));

const backwardPlan = memo((dtype: DType, dims: number, mode: UpsampleMode, aligned: boolean) => {
  const type = computeType(dtype) as 'float32' | 'float64';
  const coords: Expr[] = [coord(0), coord(1)];
  let value: Expr = load(
    0,
    type,
    Array.from({ length: dims + 2 }, (_, d) => coord(d)),
  );
  for (let i = 0; i < dims; i++) {
    const { at, weights } = tapsOf(mode, aligned, i, i + 2, type, dims);
    const tap = coord(dims + 2 + i);
    coords.push(choose(at, tap));
    if (at.length > 1) value = e.mul(value, choose(weights, tap));
  }
  return { coords, value };
});

const tapCount: Record<UpsampleMode, number> = { nearest: 1, nearestExact: 1, linear: 2, cubic: 4 };

/** The gradient of `upsample`: every output gives each of its taps a share. */
export const upsampleBackward: (
  grad: Tensor,
  inputShape: readonly number[],
  mode: UpsampleMode,
  aligned: boolean,
  factors: readonly number[],
) => Tensor = op(
  'upsampleBackward',
  'grad inputShape interpolation aligned factors',
  (grad: Tensor, inputShape, mode: UpsampleMode, aligned: boolean, factors): Tensor => {
    const result = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return result;
    const zero = constant(0, computeType(grad.dtype));
    execute({
      kind: 'map',
      shape: inputShape,
      inputs: [],
      scalars: [],
      values: [zero],
      outputs: [result],
    });
    const dims = inputShape.length - 2;
    const plan = backwardPlan(grad.dtype, dims, mode, aligned);
    execute({
      kind: 'scatter',
      shape: [...grad.shape, ...new Array<number>(dims).fill(tapCount[mode])],
      inputs: [grad],
      scalars: scalarsOf(inputShape.slice(2), factors),
      coords: plan.coords,
      value: plan.value,
      output: result,
      combine: 'sum',
    });
    return result;
  },
);
