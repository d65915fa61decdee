import { computeType, type DType } from '../dtype.js';
import { checkInteger, formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, type Expr, e, input, load, scalar } from '../expr.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { allOf, int, memo } from './plan.js';

/** How `pad` fills what it adds. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** What is added on the left and the right of each dimension; `pad` lists pairs, last dimension first. */
function sides(rank: number, pad: readonly number[]): { left: number; right: number }[] {
  return Array.from({ length: rank }, (_, d) => {
    const at = 2 * (rank - 1 - d);
    return { left: pad[at] ?? 0, right: pad[at + 1] ?? 0 };
  });
}

function paddedShape(name: string, self: Tensor, pad: readonly number[], least: 0 | 1): number[] {
  const rank = self.shape.length;
  if (pad.length % 2 !== 0) {
    throw new RuntimeError(
      `${name}: Length of pad must be even but instead it equals ${pad.length}`,
    );
  }
  if (pad.length > 2 * rank) {
    throw new RuntimeError(
      `${name}: Length of pad should be no more than twice the number of dimensions of the input. Pad length is ${pad.length} while the input has ${rank} dimensions.`,
    );
  }
  const sizes = sides(rank, pad);
  return self.shape.map((size, d) => {
    const { left, right } = sizes[d] as { left: number; right: number };
    const result = size + left + right;
    if (result < least && d >= rank - pad.length / 2) {
      throw new RuntimeError(
        `${name}: The input size ${size}, plus negative padding ${left} and ${right}, resulted in a negative output size, which is invalid: start (0) + length (${result}) exceeds dimension size. Check dimension ${d} of your input (pad ${formatShape(pad)}).`,
      );
    }
    return result;
  });
}

const constantPlan = memo((dtype: DType, rank: number, touched: string): Expr => {
  const type = computeType(dtype);
  const coords: Expr[] = [];
  const checks: Expr[] = [];
  for (let d = 0; d < rank; d++) {
    if (touched[d] === '0') coords.push(coord(d));
    else {
      const at = e.sub(coord(d), int(2 * d));
      coords.push(at);
      checks.push(e.ge(at, 0), e.lt(at, int(2 * d + 1)));
    }
  }
  const fill = type === 'bool' ? e.ne(scalar(2 * rank, 'int32'), 0) : scalar(2 * rank, type);
  return load(0, type, coords, allOf(checks), fill);
});

const constantPadOp = op(
  'constantPadNd',
  'self pad value',
  (self: Tensor, pad: readonly number[], value: number): Tensor => {
    // What is only cut off may vanish; what is padded as well must leave something, as in PyTorch.
    const least = pad.every((n) => n <= 0) ? 0 : 1;
    const shape = paddedShape('constantPadNd', self, pad, least);
    const result = allocate(shape, self.dtype, self.device);
    if (numel(shape) === 0) return result;
    const widths = sides(shape.length, pad);
    const touched = widths.map(({ left, right }) => (left !== 0 || right !== 0 ? '1' : '0'));
    const scalars = widths.flatMap(({ left }, d) => [left, self.shape[d] as number]);
    execute({
      kind: 'map',
      shape,
      inputs: [self],
      scalars: [...scalars, value],
      values: [constantPlan(self.dtype, shape.length, touched.join(''))],
      outputs: [result],
    });
    return result;
  },
);
/**
 * The tensor with `value` added around it: `pad` holds what goes before and after each dimension,
 * from the last one backwards; negative numbers cut off.
 *
 * @throws RuntimeError if `pad` is odd in length, too long, or cuts off more than there is.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */
export const constantPadNd = (self: Tensor, pad: readonly number[], value = 0): Tensor =>
  constantPadOp(self, [...pad], value);

type Mirror = Exclude<PadMode, 'constant'>;

/** Where a position of the padded dimension takes its value from; slots: left, size. */
function source(mode: Mirror, d: number): Expr {
  const [left, size] = [int(2 * d), int(2 * d + 1)];
  const at = e.sub(coord(d), left);
  const last = e.sub(size, 1);
  if (mode === 'replicate') return e.min(e.max(at, 0), last);
  if (mode === 'reflect') return e.sub(last, e.abs(e.sub(last, e.abs(at))));
  return e.where(e.lt(at, 0), e.add(at, size), e.where(e.ge(at, size), e.sub(at, size), at));
}

/** Where every element of the padded tensor comes from; only the last `count` dimensions are padded. */
const mirrorPlan = memo((rank: number, count: number, mode: Mirror): readonly Expr[] =>
  Array.from({ length: rank }, (_, d) => (d < rank - count ? coord(d) : source(mode, d))),
);

const mirrorScalars = (shape: readonly number[], pad: readonly number[]): number[] =>
  sides(shape.length, pad).flatMap(({ left }, d) => [left, shape[d] as number]);

/** `pad` in a mode that repeats values of the tensor. */
export const padMode: (self: Tensor, pad: readonly number[], mode: Mirror) => Tensor = op(
  'padMode',
  'self pad mode',
  (self: Tensor, pad: readonly number[], mode: Mirror): Tensor => {
    const shape = paddedShape('pad', self, pad, 0);
    const result = allocate(shape, self.dtype, self.device);
    if (numel(shape) === 0) return result;
    execute({
      kind: 'map',
      shape,
      inputs: [self],
      scalars: mirrorScalars(self.shape, pad),
      values: [load(0, computeType(self.dtype), mirrorPlan(shape.length, pad.length / 2, mode))],
      outputs: [result],
    });
    return result;
  },
);

/** The gradient of `padMode`: what every repeated element gets adds up. */
export const padModeBackward: (
  grad: Tensor,
  inputShape: readonly number[],
  pad: readonly number[],
  mode: Mirror,
) => Tensor = op(
  'padModeBackward',
  'grad inputShape pad mode',
  (grad: Tensor, inputShape: readonly number[], pad: readonly number[], mode: Mirror): Tensor => {
    const result = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return result;
    result.fill_(0);
    execute({
      kind: 'scatter',
      shape: grad.shape,
      inputs: [grad],
      scalars: mirrorScalars(inputShape, pad),
      coords: mirrorPlan(inputShape.length, pad.length / 2, mode),
      value: input(0, computeType(grad.dtype)),
      output: result,
      combine: 'sum',
    });
    return result;
  },
);

/** Options of `pad`. */
export interface PadOptions {
  /** Default `'constant'`. */
  mode?: PadMode;
  /** What `'constant'` fills with; default 0. */
  value?: number;
}

function checkMirror(self: Tensor, pad: readonly number[], mode: Mirror): void {
  const count = pad.length / 2;
  const rank = self.shape.length;
  if (
    !Number.isInteger(count) ||
    count < 1 ||
    count > 3 ||
    (rank !== count + 1 && rank !== count + 2)
  ) {
    throw new NotImplementedError(
      `pad: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now, got ${formatShape(self.shape)} with pad ${formatShape(pad)} and mode '${mode}'`,
    );
  }
  if (mode === 'circular' && rank !== count + 2) {
    throw new RuntimeError(
      `pad: Invalid padding size, expected ${2 * (rank - 2)} but got ${pad.length}: circular padding takes [N, C, ...], got ${formatShape(self.shape)}`,
    );
  }
  // Only the batch may be empty.
  const batch = rank === count + 2 ? 1 : 0;
  if (mode !== 'circular' && self.shape.includes(0, batch)) {
    throw new RuntimeError(
      `pad: Expected ${count + 1}D or ${count + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${formatShape(self.shape)}`,
    );
  }
  const out = sides(rank, pad).map(
    ({ left, right }, d) => (self.shape[d] as number) + left + right,
  );
  // As in PyTorch, one dimension that is left is enough.
  if (mode !== 'circular' && out.slice(rank - count).every((size) => size < 1)) {
    const list = (sizes: readonly number[]) =>
      sizes
        .slice(rank - count)
        .map((size, i) => `${'DHW'.charAt(3 - count + i)}: ${size}`)
        .join(' ');
    throw new RuntimeError(
      `pad: input (${list(self.shape)}) is too small. Calculated output ${list(out)}`,
    );
  }
  sides(rank, pad).forEach(({ left, right }, d) => {
    const size = self.shape[d] as number;
    if (d < rank - count) return;
    const most = Math.max(left, right);
    if (mode === 'reflect' && most >= size) {
      throw new RuntimeError(
        `pad: Padding size should be less than the corresponding input dimension, but got: padding (${left}, ${right}) at dimension ${d} of input ${formatShape(self.shape)}`,
      );
    }
    if (mode === 'circular' && most > size) {
      throw new RuntimeError(
        `pad: Padding value causes wrapping around more than once: padding (${left}, ${right}) at dimension ${d} of input ${formatShape(self.shape)}`,
      );
    }
  });
}

/**
 * Pads the last dimensions: `pad` holds what goes before and after each, from the last one backwards.
 *
 * @throws RuntimeError if the amounts do not fit the shape or the mode.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 * @example pad(images, [1, 1, 1, 1], { mode: 'reflect' })
 */
export const pad = explaining(
  'pad',
  (self: Tensor, amounts: readonly number[], options: PadOptions = {}): Tensor => {
    const { mode = 'constant', value } = options;
    for (const amount of amounts) checkInteger('pad', 'amounts', 1, amount);
    if (amounts.length % 2 !== 0) {
      throw new RuntimeError('pad: Padding length must be divisible by 2');
    }
    if (amounts.length > 2 * self.shape.length) {
      throw new RuntimeError(
        `pad: Padding length too large, got ${amounts.length} numbers for ${self.shape.length} dimensions`,
      );
    }
    if (mode === 'constant') return constantPadNd(self, amounts, value ?? 0);
    if (mode !== 'reflect' && mode !== 'replicate' && mode !== 'circular') {
      throw new NotImplementedError(`pad: Unrecognised padding mode ${mode}`);
    }
    if (value !== undefined && value !== 0) {
      throw new RuntimeError(`pad: Padding mode "${mode}" doesn't take in value argument`);
    }
    if (mode === 'circular' && amounts.some((n) => n < 0)) {
      // What is cut off does not come round again.
      const rest = constantPadNd(
        self,
        amounts.map((n) => Math.min(n, 0)),
      );
      return pad(
        rest,
        amounts.map((n) => Math.max(n, 0)),
        options,
      );
    }
    checkMirror(self, amounts, mode);
    return padMode(self, [...amounts], mode);
  },
);
