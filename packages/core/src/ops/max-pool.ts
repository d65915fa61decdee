import { category, computeType, type DType } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, input, load, stage } from '../expr.js';
import { mustRecord, op } from '../op.js';
import type { ReduceStage, View } from '../primitive.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { pair, type ValuesIndices } from './pair.js';
import { memo } from './plan.js';
import {
  adaptiveWindows,
  allInside,
  areDisjoint,
  type PoolSize,
  regularWindows,
  slot,
  tapPosition,
  type WindowOptions,
  type Windows,
  windowLoad,
  windowScalars,
} from './pool-windows.js';

/** Row-major position in the pooled dimensions, as PyTorch counts indices. */
function flatPosition(at: readonly Expr[]): Expr {
  return at.reduce((flat, x, i) => (i === 0 ? x : e.add(e.mul(flat, slot(i).size), x)));
}

interface ForwardPlan {
  readonly stages: readonly ReduceStage[];
  readonly index: Expr;
}

const forwardPlan = memo(
  (
    dtype: DType,
    kind: Windows['kind'],
    lead: number,
    dims: number,
    inside: boolean,
  ): ForwardPlan => {
    const type = computeType(dtype);
    const { coords, valid } = windowLoad(kind, lead, dims);
    const value = inside
      ? input(0, type)
      : load(0, type, coords, valid, constant(Number.NEGATIVE_INFINITY, type));
    let rest = cast(stage(1, 'int64'), 'int32');
    const at: Expr[] = [];
    for (let i = dims - 1; i >= 0; i--) {
      const { kernel, dilation } = slot(i);
      const tap = i === 0 ? rest : e.fmod(rest, kernel);
      rest = e.idiv(rest, kernel);
      const found = tapPosition(kind, i, coord(lead + i), tap);
      // Where all are -infinity the first tap wins, which may lie in the padding: move on to the first that exists.
      const steps = e.idiv(e.sub(e.sub(dilation, 1), found), dilation);
      at.unshift(
        inside || kind === 'adaptive'
          ? found
          : e.where(e.lt(found, 0), e.add(found, e.mul(steps, dilation)), found),
      );
    }
    return {
      stages: [
        { combine: 'max', value },
        { combine: 'argmax', value },
      ],
      index: cast(flatPosition(at), 'int64'),
    };
  },
);

/** The tensor as the windows see it: window positions, then taps, without a copy. */
export function windowView(self: Tensor, lead: number, w: Windows): View {
  const outer = self.strides.slice(0, lead);
  const inner = self.strides.slice(lead);
  return {
    storage: self.storage,
    dtype: self.dtype,
    shape: [...self.shape.slice(0, lead), ...w.out, ...w.kernel],
    strides: [
      ...outer,
      ...inner.map((step, i) => step * (w.stride[i] as number)),
      ...inner.map((step, i) => step * (w.dilation[i] as number)),
    ],
    offset: self.offset,
  };
}

function runMaxPool(self: Tensor, w: Windows, withIndices: boolean): [Tensor, Tensor | undefined] {
  const dims = w.out.length;
  const lead = self.shape.length - dims;
  const shape = [...self.shape.slice(0, lead), ...w.out];
  const out = allocate(shape, self.dtype, self.device);
  const indices = withIndices ? allocate(shape, 'int64', self.device) : undefined;
  if (numel(shape) === 0) return [out, indices];
  const inside = allInside(w);
  const plan = forwardPlan(self.dtype, w.kind, lead, dims, inside);
  const rows = [...shape, ...w.kernel.map(() => 1)];
  const row = (t: Tensor) => new Tensor(t.storage, t.dtype, rows);
  const best = stage(0, computeType(self.dtype));
  execute({
    kind: 'reduce',
    shape: [...shape, ...w.kernel],
    axes: w.kernel.map((_, i) => lead + dims + i),
    inputs: [inside ? windowView(self, lead, w) : self],
    scalars: windowScalars(w),
    stages: withIndices ? plan.stages : plan.stages.slice(0, 1),
    outputs: [
      { per: 'row', value: best, view: row(out) },
      ...(indices ? [{ per: 'row' as const, value: plan.index, view: row(indices) }] : []),
    ],
  });
  return [out, indices];
}

/** Maxima and their positions over checked windows. */
export const maxPoolWithIndices: (self: Tensor, windows: Windows) => ValuesIndices = op(
  'maxPool',
  'self windows',
  (self: Tensor, windows: Windows) => {
    const [values, indices] = runMaxPool(self, windows, true);
    return pair(values, indices as Tensor);
  },
);

const scatterPlan = memo((dtype: DType, lead: number) => ({
  coords: [...Array.from({ length: lead }, (_, d) => coord(d)), cast(input(1, 'int64'), 'int32')],
  value: input(0, computeType(dtype)),
}));

/** The gradient of max pooling: each window gives its own to the place of its maximum. */
export const maxPoolBackward: (
  grad: Tensor,
  indices: Tensor,
  inputShape: readonly number[],
  windows: Windows,
) => Tensor = op(
  'maxPoolBackward',
  'grad indices inputShape windows',
  (grad: Tensor, indices: Tensor, inputShape: readonly number[], w: Windows): Tensor => {
    const result = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return result;
    result.fill_(0);
    const lead = inputShape.length - w.out.length;
    const outer = inputShape.slice(0, lead);
    const plan = scatterPlan(grad.dtype, lead);
    execute({
      kind: 'scatter',
      shape: [...outer, numel(w.out)],
      inputs: [grad.reshape([...outer, -1]), indices.reshape([...outer, -1])],
      scalars: [],
      coords: plan.coords,
      value: plan.value,
      output: new Tensor(result.storage, result.dtype, [...outer, numel(w.size)]),
      // Where no two windows meet, nothing needs adding up.
      combine: areDisjoint(w) ? 'set' : 'sum',
    });
    return result;
  },
);

/** Options of max pooling. */
export interface MaxPoolOptions extends WindowOptions {
  /** Return the positions of the maxima, counted in the pooled dimensions, as well; default false. */
  returnIndices?: boolean;
}

/** Pooled values, or values and indices. */
export interface MaxPool<S, O> {
  (self: Tensor, kernelSize: S, options: O & { returnIndices: true }): ValuesIndices;
  (self: Tensor, kernelSize: S, options?: O & { returnIndices?: false }): Tensor;
}

/** Pooled values, or values and indices, of as many windows as are asked for. */
export interface AdaptiveMaxPool {
  (
    self: Tensor,
    outputSize: number | readonly (number | null)[],
    options: { returnIndices: true },
  ): ValuesIndices;
  (
    self: Tensor,
    outputSize: number | readonly (number | null)[],
    options?: { returnIndices?: false },
  ): Tensor;
}

function finish(name: string, kernel: string, self: Tensor, w: Windows, returnIndices: boolean) {
  if (category(self.dtype) < 2) {
    throw new NotImplementedError(`${name}: "${kernel}" not implemented for '${self.dtype}'`);
  }
  if (!returnIndices && !mustRecord([self])) return runMaxPool(self, w, false)[0];
  const both = maxPoolWithIndices(self, w);
  return returnIndices ? both : both.values;
}

const maxPool = (dims: number) =>
  ((self: Tensor, kernelSize: PoolSize, options: MaxPoolOptions = {}) => {
    const name = `maxPool${dims}d`;
    const w = regularWindows(name, dims, self.shape, kernelSize, options);
    return finish(name, `max_pool${dims}d`, self, w, options.returnIndices ?? false);
  }) as MaxPool<PoolSize, MaxPoolOptions>;

const adaptiveMaxPool = (dims: number) =>
  ((
    self: Tensor,
    outputSize: number | readonly (number | null)[],
    options: { returnIndices?: boolean } = {},
  ) => {
    const name = `adaptiveMaxPool${dims}d`;
    const w = adaptiveWindows(name, dims, self.shape, outputSize);
    return finish(name, `adaptive_max_pool${dims}d`, self, w, options.returnIndices ?? false);
  }) as AdaptiveMaxPool;

/** The maximum of each window of a signal [N, C, L] or [C, L]. */
export const maxPool1d: MaxPool<PoolSize, MaxPoolOptions> = explaining('maxPool1d', maxPool(1));
/**
 * The maximum of each window of an image [N, C, H, W] or [C, H, W]; `stride` defaults to the kernel size.
 *
 * @throws RuntimeError if the windows do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.max_pool2d.html
 * @example const [values, indices] = maxPool2d(x, 2, { returnIndices: true })
 */
export const maxPool2d: MaxPool<PoolSize, MaxPoolOptions> = explaining('maxPool2d', maxPool(2));
/** The maximum of each window of a volume [N, C, D, H, W] or [C, D, H, W]. */
export const maxPool3d: MaxPool<PoolSize, MaxPoolOptions> = explaining('maxPool3d', maxPool(3));

/** Maxima over as many windows as `outputSize` says. */
export const adaptiveMaxPool1d: AdaptiveMaxPool = explaining(
  'adaptiveMaxPool1d',
  adaptiveMaxPool(1),
);
/** Maxima over as many windows as `outputSize` says; null keeps a size. */
export const adaptiveMaxPool2d: AdaptiveMaxPool = explaining(
  'adaptiveMaxPool2d',
  adaptiveMaxPool(2),
);
/** Maxima over as many windows as `outputSize` says; null keeps a size. */
export const adaptiveMaxPool3d: AdaptiveMaxPool = explaining(
  'adaptiveMaxPool3d',
  adaptiveMaxPool(3),
);
