import { computeType, type DType } from '../dtype.js';
import { checkInteger, formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, input, load, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import { canRead } from '../read.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { checkIndexRange } from './index-range.js';
import { int, memo, within } from './plan.js';
import { amax } from './reduce.js';

/** The indices, repeated along one more dimension. */
const widened = (indices: Tensor): Tensor =>
  new Tensor(
    indices.storage,
    indices.dtype,
    [...indices.shape, 1],
    [...indices.strides, 0],
    indices.offset,
  );

const forwardPlan = memo((dtype: DType, index: DType, rank: number): Expr => {
  const row = cast(input(1, computeType(index)), 'int32');
  return load(0, computeType(dtype), [row, coord(rank)], within(row, int(0)));
});

const embeddingOp = op(
  'embedding',
  'weight indices paddingIdx scaleGradByFreq',
  (weight: Tensor, indices: Tensor, _paddingIdx: number, _scaleGradByFreq: boolean): Tensor => {
    const shape = [...indices.shape, weight.shape[1] as number];
    const result = allocate(shape, weight.dtype, weight.device);
    if (numel(shape) === 0) return result;
    execute({
      kind: 'map',
      shape,
      inputs: [weight, widened(indices)],
      scalars: [weight.shape[0] as number],
      values: [forwardPlan(weight.dtype, indices.dtype, indices.shape.length)],
      outputs: [result],
    });
    return result;
  },
);

const countPlan = memo((dtype: DType) => {
  const row = cast(input(0, computeType(dtype)), 'int32');
  return { row, valid: within(row, int(0)) };
});

/** How often each row is used. */
function frequencies(indices: Tensor, rows: number): Tensor {
  const counts = allocate([rows], 'float32', indices.device);
  execute({
    kind: 'map',
    shape: [rows],
    inputs: [],
    scalars: [],
    values: [constant(0, 'float32')],
    outputs: [counts],
  });
  const { row, valid } = countPlan(indices.dtype);
  execute({
    kind: 'scatter',
    shape: indices.shape,
    inputs: [indices],
    scalars: [rows],
    coords: [row],
    valid,
    value: constant(1, 'float32'),
    output: counts,
    combine: 'sum',
  });
  return counts;
}

const backwardPlan = memo((dtype: DType, index: DType, rank: number, scaled: boolean) => {
  const type = computeType(dtype);
  const row = cast(input(1, computeType(index)), 'int32');
  const valid = e.and(within(row, int(0)), e.ne(row, int(1)));
  const grad = input(0, type);
  const count = cast(load(2, 'float32', [row], valid, constant(1, 'float32')), type);
  return { row, valid, coords: [row, coord(rank)], value: scaled ? e.div(grad, count) : grad };
});

/** The gradient of `embedding` to its weight of `rows` rows: gradients of equal indices add up. */
export const embeddingBackward: (
  grad: Tensor,
  indices: Tensor,
  rows: number,
  paddingIdx: number,
  scaleGradByFreq: boolean,
) => Tensor = op(
  'embeddingBackward',
  'grad indices rows paddingIdx scaleGradByFreq',
  (
    grad: Tensor,
    indices: Tensor,
    rows: number,
    paddingIdx: number,
    scaleGradByFreq: boolean,
  ): Tensor => {
    const result = allocate([rows, grad.shape.at(-1) as number], grad.dtype, grad.device);
    if (numel(result.shape) === 0) return result;
    const zero = constant(0, computeType(grad.dtype));
    const { shape } = result;
    execute({ kind: 'map', shape, inputs: [], scalars: [], values: [zero], outputs: [result] });
    if (numel(grad.shape) === 0) return result;
    const counts = scaleGradByFreq ? [frequencies(indices, rows)] : [];
    const plan = backwardPlan(grad.dtype, indices.dtype, indices.shape.length, scaleGradByFreq);
    execute({
      kind: 'scatter',
      shape: grad.shape,
      inputs: [grad, widened(indices), ...counts],
      scalars: [rows, paddingIdx],
      coords: plan.coords,
      valid: plan.valid,
      value: plan.value,
      output: result,
      combine: 'sum',
    });
    for (const t of counts) t.dispose();
    return result;
  },
);

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** The row whose gradient stays zero; may count from the end. */
  paddingIdx?: number | null;
  /** Rows that are used and longer than this are shortened to it, in place. */
  maxNorm?: number | null;
  /** The p of the norm that `maxNorm` measures; default 2. */
  normType?: number;
  /** Divide gradients by how often the row is used; default false. */
  scaleGradByFreq?: boolean;
}

/** @throws RuntimeError unless the indices are int64 or int32. */
export function checkIndices(name: string, indices: Tensor): void {
  if (indices.dtype === 'int64' || indices.dtype === 'int32') return;
  throw new RuntimeError(
    `${name}: Expected tensor for argument 'indices' to have one of the following scalar types: int64, int32; but got ${indices.dtype} instead`,
  );
}

/**
 * Rows of `weight` ([rows, width]) picked by integer `input` of any shape: [..., width].
 *
 * @throws IndexError for an index that is not a row; RuntimeError for other than integers.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding.html
 */
export const embedding = explaining(
  'embedding',
  (input: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor => {
    if (weight.shape.length !== 2) {
      throw new RuntimeError(`embedding: 'weight' must be 2-D, got ${formatShape(weight.shape)}`);
    }
    checkIndices('embedding', input);
    const rows = weight.shape[0] as number;
    const { maxNorm, normType = 2, scaleGradByFreq = false } = options;
    let paddingIdx = options.paddingIdx ?? -1;
    if (options.paddingIdx !== undefined && options.paddingIdx !== null) {
      if (paddingIdx >= rows || paddingIdx < -rows) {
        throw new RuntimeError(
          `embedding: padding_idx must be within num_embeddings, the number of embeddings: ${-rows} through ${rows - 1}, but got ${paddingIdx}`,
        );
      }
      if (paddingIdx < 0) paddingIdx += rows;
    }
    checkIndexRange(
      input,
      0,
      rows,
      (bad) => `embedding: index out of range in self: ${bad} is not among ${rows} rows`,
    );
    if (maxNorm !== undefined && maxNorm !== null) shortenRows(weight, input, maxNorm, normType);
    return embeddingOp(weight, input, paddingIdx, scaleGradByFreq);
  },
);

const lengthPlan = memo((dtype: DType, infinite: boolean) => {
  const type = computeType(dtype) as 'float32' | 'float64';
  const size = e.abs(input(0, type));
  const p = scalar(0, type);
  const whole = stage(0, type);
  const norm = infinite ? whole : e.pow(whole, e.div(constant(1, type), p));
  const limit = scalar(1, type);
  const used = e.gt(input(1, 'float32'), 0);
  // PyTorch adds 1e-7 so that the result is never above the limit.
  const factor = e.div(limit, e.add(norm, 1e-7));
  return {
    value: infinite ? size : e.pow(size, p),
    result: e.where(e.and(used, e.gt(norm, limit)), e.mul(input(0, type), factor), input(0, type)),
  };
});

/** Shortens the used rows of `weight` to `maxNorm`, in place and unrecorded. */
export function shortenRows(
  weight: Tensor,
  indices: Tensor,
  maxNorm: number,
  normType: number,
): void {
  const rows = weight.shape[0] as number;
  if (numel(weight.shape) === 0 || numel(indices.shape) === 0) return;
  const used = frequencies(indices, rows);
  const infinite = normType === Number.POSITIVE_INFINITY;
  const plan = lengthPlan(weight.dtype, infinite);
  execute({
    kind: 'reduce',
    shape: weight.shape,
    axes: [1],
    inputs: [weight, widened(used)],
    scalars: [infinite ? 1 : normType, maxNorm],
    stages: [{ combine: infinite ? 'max' : 'sum', value: plan.value }],
    outputs: [{ per: 'element', value: plan.result, view: weight }],
  });
  used.dispose();
  weight.counter.version++;
}

const oneHotPlan = memo(
  (dtype: DType, rank: number): Expr =>
    cast(e.eq(cast(input(0, computeType(dtype)), 'int32'), coord(rank)), 'int64'),
);

/**
 * 1 at the class, 0 elsewhere, along a new last dimension.
 *
 * @param numClasses -1 (default) for one more than the greatest class, which must be read from the device.
 * @throws RuntimeError for negative classes, classes past `numClasses`, or a device that cannot be read at once.
 */
export const oneHot = explaining('oneHot', (self: Tensor, numClasses = -1): Tensor => {
  checkInteger('oneHot', 'numClasses', 1, numClasses);
  if (self.dtype !== 'int64') {
    throw new RuntimeError(
      `oneHot: one_hot is only applicable to index tensor (int64), got ${self.dtype}`,
    );
  }
  if (numel(self.shape) === 0 && numClasses <= 0) {
    throw new RuntimeError('oneHot: Can not infer total number of classes from empty tensor.');
  }
  let classes = numClasses;
  if (classes === -1) {
    if (!canRead(self)) {
      throw new RuntimeError(
        `oneHot: the number of classes depends on the values, which device '${self.device}' cannot read at once; pass numClasses, or use \`await withReads(() => ...)\``,
      );
    }
    classes = amax(self).itemSync() + 1;
  }
  const sentence = (bad: number) =>
    bad < 0
      ? `oneHot: Class values must be non-negative, got ${bad}.`
      : `oneHot: Class values must be smaller than num_classes (${bad} >= ${classes}).`;
  checkIndexRange(self, 0, classes, sentence, RuntimeError);
  if (classes < 1) throw new RuntimeError('oneHot: num_classes should be positive');
  const shape = [...self.shape, classes];
  const result = allocate(shape, 'int64', self.device);
  if (numel(shape) === 0) return result;
  execute({
    kind: 'map',
    shape,
    inputs: [widened(self)],
    scalars: [],
    values: [oneHotPlan(self.dtype, self.shape.length)],
    outputs: [result],
  });
  return result;
});
