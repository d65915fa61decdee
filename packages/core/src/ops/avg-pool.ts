import { category, computeType, type DType } from '../dtype.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, coord, type Expr, e, input, load, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import type { View } from '../primitive.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { relu } from './activation.js';
import { mul, pow } from './binary.js';
import { windowView } from './max-pool.js';
import { memo } from './plan.js';
import {
  adaptiveSpan,
  adaptiveWindows,
  allInside,
  areDisjoint,
  coversAll,
  type PoolSize,
  regularWindows,
  scalarsAfter,
  slot,
  type WindowOptions,
  type Windows,
  windowLoad,
  windowScalars,
} from './pool-windows.js';
import { abs, sign } from './unary.js';
import { type Writing, writing } from './writing.js';

/** What the sum of a window is divided by: one number, all taps but those beyond the padding, or those that exist. */
type Divisor = 'fixed' | 'padded' | 'existing';

function divisorOf(
  kind: Windows['kind'],
  rule: Divisor,
  at: readonly Expr[],
  type: 'float32' | 'float64' | 'int32' | 'int64',
): Expr {
  if (rule === 'fixed') return scalar(scalarsAfter(at.length), type);
  const counts = at.map((o, i) => {
    const { stride, padding, kernel, size } = slot(i);
    if (kind === 'adaptive') {
      const { start, end } = adaptiveSpan(i, o);
      return e.sub(end, start);
    }
    const start = e.sub(e.mul(o, stride), padding);
    const end = e.min(e.add(start, kernel), e.add(size, padding));
    if (rule === 'padded') return e.sub(end, start);
    return e.sub(e.min(end, size), e.max(start, 0));
  });
  return cast(
    counts.reduce((product, n) => e.mul(product, n)),
    type,
  );
}

const quotient = (a: Expr, b: Expr): Expr =>
  a.dtype === 'int32' || a.dtype === 'int64' ? e.idiv(a, b) : e.div(a, b);

const numeric = (dtype: DType) =>
  computeType(dtype) as Exclude<ReturnType<typeof computeType>, 'bool'>;

const forwardPlan = memo(
  (
    dtype: DType,
    kind: Windows['kind'],
    lead: number,
    dims: number,
    inside: boolean,
    rule: Divisor,
  ) => {
    const type = numeric(dtype);
    const { coords, valid } = windowLoad(kind, lead, dims);
    const at = Array.from({ length: dims }, (_, i) => coord(lead + i));
    return {
      value: inside ? input(0, type) : load(0, type, coords, valid),
      result: quotient(stage(0, type), divisorOf(kind, rule, at, type)),
    };
  },
);

/** Means over checked windows. */
export const avgPool: (
  self: Tensor,
  windows: Windows,
  countIncludePad: boolean,
  divisorOverride: number | null,
) => Tensor = op(
  'avgPool',
  'self windows countIncludePad divisorOverride',
  (self: Tensor, w: Windows, countIncludePad: boolean, divisorOverride: number | null): Tensor => {
    const dims = w.out.length;
    const lead = self.shape.length - dims;
    const shape = [...self.shape.slice(0, lead), ...w.out];
    const out = allocate(shape, self.dtype, self.device);
    if (numel(shape) === 0) return out;
    const inside = allInside(w);
    const { rule, count } = ruleOf(w, countIncludePad, divisorOverride);
    const plan = forwardPlan(self.dtype, w.kind, lead, dims, inside, rule);
    const view = new Tensor(out.storage, out.dtype, [...shape, ...w.kernel.map(() => 1)]);
    execute({
      kind: 'reduce',
      shape: [...shape, ...w.kernel],
      axes: w.kernel.map((_, i) => lead + dims + i),
      inputs: [inside ? windowView(self, lead, w) : self],
      scalars: [...windowScalars(w), count],
      stages: [{ combine: 'sum', value: plan.value }],
      outputs: [{ per: 'row', value: plan.result, view }],
    });
    return out;
  },
);

function ruleOf(w: Windows, countIncludePad: boolean, divisorOverride: number | null) {
  const taps = numel(w.kernel);
  if (divisorOverride !== null) return { rule: 'fixed' as const, count: divisorOverride };
  if (allInside(w)) return { rule: 'fixed' as const, count: taps };
  return { rule: countIncludePad ? ('padded' as const) : ('existing' as const), count: taps };
}

const backwardPlan = memo(
  (dtype: DType, kind: Windows['kind'], lead: number, dims: number, rule: Divisor) => {
    const type = numeric(dtype);
    const at = Array.from({ length: dims }, (_, i) => coord(lead + i));
    return {
      ...windowLoad(kind, lead, dims),
      value: e.div(input(0, type), divisorOf(kind, rule, at, type)),
    };
  },
);

/** A value a window as it repeats over the taps. */
const perTap = (t: Tensor, dims: number): View => ({
  storage: t.storage,
  dtype: t.dtype,
  shape: [...t.shape, ...new Array<number>(dims).fill(1)],
  strides: [...t.strides, ...new Array<number>(dims).fill(0)],
  offset: t.offset,
});

/** The gradient of `avgPool`: each window gives every tap its share. */
export const avgPoolBackward: (
  grad: Tensor,
  inputShape: readonly number[],
  windows: Windows,
  countIncludePad: boolean,
  divisorOverride: number | null,
) => Tensor = op(
  'avgPoolBackward',
  'grad inputShape windows countIncludePad divisorOverride',
  (grad: Tensor, inputShape, w: Windows, countIncludePad, divisorOverride): Tensor => {
    const result = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return result;
    const dims = w.out.length;
    const lead = inputShape.length - dims;
    const { rule, count } = ruleOf(w, countIncludePad, divisorOverride);
    const { coords, valid, value } = backwardPlan(grad.dtype, w.kind, lead, dims, rule);
    const inputs = [perTap(grad, dims)];
    const scalars = [...windowScalars(w), count];
    if (!areDisjoint(w) || !coversAll(w)) result.fill_(0);
    if (areDisjoint(w)) {
      // Every element is in one window at most: the windows are a view of the result.
      const output = windowView(result, lead, w);
      const { shape } = output;
      execute({ kind: 'map', shape, inputs, scalars, values: [value], outputs: [output] });
      return result;
    }
    execute({
      kind: 'scatter',
      shape: [...grad.shape, ...w.kernel],
      inputs,
      scalars,
      coords,
      valid,
      value,
      output: result,
      combine: 'sum',
    });
    return result;
  },
);

/** Options of average pooling. */
export interface AvgPoolOptions {
  /** Step of the window; default: its size. */
  stride?: PoolSize | null;
  /** Zeros added to both sides; default 0. */
  padding?: PoolSize;
  /** Round the number of windows up; default false. */
  ceilMode?: boolean;
  /** Count padding in the mean; default true. */
  countIncludePad?: boolean;
  /** Divide by this instead of the number of elements. */
  divisorOverride?: number | null;
}

type AvgPool = (self: Tensor, kernelSize: PoolSize, options?: AvgPoolOptions) => Tensor;

const refuse = (name: string, kernel: string, self: Tensor, integers: boolean): void => {
  if (self.dtype === 'bool' || (!integers && category(self.dtype) < 2)) {
    throw new NotImplementedError(`${name}: "${kernel}" not implemented for '${self.dtype}'`);
  }
};

/** Volumes must be as large as the kernel, however much padding there is. */
const covers = (name: string) => (size: readonly number[], kernel: readonly number[]) => {
  if (!size.some((length, i) => length < (kernel[i] as number))) return;
  const list = (numbers: readonly number[], before = '') =>
    numbers.map((n, i) => `${before}${'THW'[i]}: ${n}`).join(' ');
  throw new RuntimeError(
    `${name}: input image (${list(size)}) smaller than kernel size (${list(kernel, 'k')}), padded or not`,
  );
};

const regular =
  (dims: number): AvgPool =>
  (self, kernelSize, options = {}) => {
    const name = `avgPool${dims}d`;
    refuse(name, 'avg_pool', self, true);
    if (options.divisorOverride === 0) throw new RuntimeError(`${name}: divisor must be not zero`);
    const check = dims === 3 ? covers(name) : undefined;
    const w = regularWindows(name, dims, self.shape, kernelSize, options, check);
    return avgPool(self, w, options.countIncludePad ?? true, options.divisorOverride ?? null);
  };

/** The mean of each window of a signal [N, C, L] or [C, L]. */
export const avgPool1d: AvgPool = explaining('avgPool1d', regular(1));
/**
 * The mean of each window of an image [N, C, H, W] or [C, H, W]; `stride` defaults to the kernel size.
 *
 * @throws RuntimeError if the windows do not fit, or the divisor is 0.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.avg_pool2d.html
 */
export const avgPool2d: Writing<AvgPool> = writing('avgPool2d', regular(2));
/** The mean of each window of a volume [N, C, D, H, W] or [C, D, H, W]. */
export const avgPool3d: Writing<AvgPool> = writing('avgPool3d', regular(3));

type AdaptiveAvgPool = (self: Tensor, outputSize: number | readonly (number | null)[]) => Tensor;

const adaptive =
  (dims: number): AdaptiveAvgPool =>
  (self, outputSize) => {
    const name = `adaptiveAvgPool${dims}d`;
    refuse(name, 'adaptive_avg_pool', self, false);
    return avgPool(
      self,
      adaptiveWindows(name, dims, self.shape, outputSize, dims < 3 ? 'any' : 'some'),
      true,
      null,
    );
  };

/** Means over as many windows as `outputSize` says. */
export const adaptiveAvgPool1d: AdaptiveAvgPool = explaining('adaptiveAvgPool1d', adaptive(1));
/** Means over as many windows as `outputSize` says; null keeps a size. */
export const adaptiveAvgPool2d: AdaptiveAvgPool = explaining('adaptiveAvgPool2d', adaptive(2));
/** Means over as many windows as `outputSize` says; null keeps a size. */
export const adaptiveAvgPool3d: AdaptiveAvgPool = explaining('adaptiveAvgPool3d', adaptive(3));

const powerPool =
  (dims: number) =>
  (
    self: Tensor,
    normType: number,
    kernelSize: PoolSize,
    options: Pick<WindowOptions, 'stride' | 'ceilMode'> = {},
  ): Tensor => {
    const taps = typeof kernelSize === 'number' ? kernelSize ** dims : numel(kernelSize);
    const mean = regular(dims)(pow(self, normType), kernelSize, options);
    return pow(mul(mul(sign(mean), relu(abs(mean))), taps), 1 / normType);
  };
/** The p-norm of each window of a signal: (sum of x^p)^(1/p). */
export const lpPool1d: ReturnType<typeof powerPool> = explaining('lpPool1d', powerPool(1));
/** The p-norm of each window of an image. */
export const lpPool2d: ReturnType<typeof powerPool> = explaining('lpPool2d', powerPool(2));
