import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, load, stage } from '../expr.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import type { MaxPool } from './max-pool.js';
import { pair, type ValuesIndices } from './pair.js';
import { int, memo } from './plan.js';
import { type PoolSize, poolSizes, type Windows } from './pool-windows.js';
import { rand } from './random.js';
import { squeeze, unsqueeze } from './view.js';

/** First element of window `o`: steps of uneven length that the sample decides, the last window at the end. */
function startOf(type: 'float32' | 'float64', i: number, dims: number): Expr {
  const [size, out, kernel] = [int(3 * i), int(3 * i + 1), int(3 * i + 2)];
  const o = coord(2 + i);
  // As in PyTorch, samples of images are in the order width, height; those of volumes depth, height, width.
  const which = constant(dims === 2 ? 1 - i : i, 'int32');
  const sample = load(1, type, [coord(0), coord(1), which]);
  const room = e.sub(size, kernel);
  const step = e.div(cast(room, type), cast(e.max(e.sub(out, 1), 1), type));
  const at = (x: Expr) => cast(e.mul(x, step), 'int32');
  const uneven = e.sub(at(e.add(cast(o, type), sample)), at(sample));
  return e.where(e.eq(o, e.sub(out, 1)), room, uneven);
}

const plan = memo((dtype: DType, samples: DType, dims: number) => {
  const type = computeType(samples) as 'float32' | 'float64';
  const starts = Array.from({ length: dims }, (_, i) => startOf(type, i, dims));
  const at = starts.map((start, i) => e.add(start, coord(2 + dims + i)));
  let rest = cast(stage(1, 'int64'), 'int32');
  const found: Expr[] = [];
  for (let i = dims - 1; i >= 0; i--) {
    const kernel = int(3 * i + 2);
    found.unshift(e.add(starts[i] as Expr, i === 0 ? rest : e.fmod(rest, kernel)));
    rest = e.idiv(rest, kernel);
  }
  const flat = found.reduce((sum, x, i) => (i === 0 ? x : e.add(e.mul(sum, int(3 * i)), x)));
  return { value: load(0, computeType(dtype), [coord(0), coord(1), ...at]), index: flat };
});

/** Maxima over windows of `kernel` at starts that `samples` ([N, C, dims], in [0, 1)) decide. */
export const fractionalMaxPool: (self: Tensor, samples: Tensor, windows: Windows) => ValuesIndices =
  op(
    'fractionalMaxPool',
    'self samples windows',
    (self: Tensor, samples: Tensor, w: Windows): ValuesIndices => {
      const dims = w.out.length;
      const shape = [...self.shape.slice(0, 2), ...w.out];
      const values = allocate(shape, self.dtype, self.device);
      const indices = allocate(shape, 'int64', self.device);
      if (numel(shape) === 0) return pair(values, indices);
      const { value, index } = plan(self.dtype, samples.dtype, dims);
      const rows = [...shape, ...w.kernel.map(() => 1)];
      const row = (t: Tensor) => new Tensor(t.storage, t.dtype, rows);
      execute({
        kind: 'reduce',
        shape: [...shape, ...w.kernel],
        axes: w.kernel.map((_, i) => 2 + dims + i),
        inputs: [self, samples],
        scalars: w.size.flatMap((size, i) => [size, w.out[i] as number, w.kernel[i] as number]),
        stages: [
          { combine: 'max', value },
          { combine: 'argmax', value },
        ],
        outputs: [
          { per: 'row', value: stage(0, value.dtype), view: row(values) },
          { per: 'row', value: cast(index, 'int64'), view: row(indices) },
        ],
      });
      return pair(values, indices);
    },
  );

/** Options of fractional pooling; one of `outputSize` and `outputRatio` is needed. */
export interface FractionalPoolOptions {
  outputSize?: PoolSize | null;
  /** The size of the output as a part of that of the input, in (0, 1). */
  outputRatio?: number | readonly number[] | null;
  /** Return the positions of the maxima as well; default false. */
  returnIndices?: boolean;
  /** What decides the windows, [N, C, dimensions] in [0, 1); default: drawn. */
  randomSamples?: Tensor | null;
}

const fractional = (dims: number) =>
  ((self: Tensor, kernelSize: PoolSize, options: FractionalPoolOptions = {}) => {
    const name = `fractionalMaxPool${dims}d`;
    const rank = self.shape.length;
    if (rank !== dims + 1 && rank !== dims + 2) {
      throw new RuntimeError(
        `${name}: Expected ${dims + 1}D or ${dims + 2}D tensor, but got ${formatShape(self.shape)}`,
      );
    }
    if (!isFloatingPoint(self.dtype)) {
      throw new NotImplementedError(`${name}: "max_pool" not implemented for '${self.dtype}'`);
    }
    const each = (x: number | readonly number[]): readonly number[] =>
      Array.isArray(x) ? x : new Array<number>(dims).fill(x as number);
    const { outputSize, outputRatio } = options;
    const size = self.shape.slice(rank - dims);
    let out: readonly number[];
    if (outputSize !== undefined && outputSize !== null) {
      out = poolSizes(name, 'output_size', 2, outputSize, dims);
    } else if (outputRatio !== undefined && outputRatio !== null) {
      const ratios = each(outputRatio);
      if (ratios.some((r) => !(r > 0 && r < 1))) {
        throw new ValueError(
          `${name}: output_ratio must be between 0 and 1 (got ${formatShape(ratios)})`,
        );
      }
      out = size.map((length, i) => Math.floor(length * (ratios[i] as number)));
    } else {
      throw new ValueError(`${name}: requires specifying either an output_size or an output_ratio`);
    }
    const kernel = poolSizes(name, 'kernel_size', 1, kernelSize, dims);
    if (kernel.some((k) => k <= 0)) {
      throw new RuntimeError(
        `${name}: kernel size should be greater than zero, but got ${formatShape(kernel)}`,
      );
    }
    if (out.some((n) => n < 0)) {
      throw new RuntimeError(
        `${name}: elements of output_size must be greater than or equal to 0, but found ${formatShape(out)}`,
      );
    }
    size.forEach((length, i) => {
      if ((out[i] as number) + (kernel[i] as number) - 1 > length) {
        throw new RuntimeError(
          `${name}: pool size ${kernel[i]} is too large for input of size ${length} and output of size ${out[i]}`,
        );
      }
    });
    const x = rank === dims + 1 ? unsqueeze(self, 0) : self;
    const { dtype, device } = self;
    const samples =
      options.randomSamples ?? rand([...x.shape.slice(0, 2), dims], { dtype, device });
    const ones = size.map(() => 1);
    const padding = size.map(() => 0);
    const w: Windows = {
      kind: 'adaptive',
      kernel,
      stride: ones,
      padding,
      dilation: ones,
      size,
      out,
    };
    const both = fractionalMaxPool(x, samples, w);
    const values = x === self ? both.values : squeeze(both.values, 0);
    if (!options.returnIndices) return values;
    return pair(values, x === self ? both.indices : squeeze(both.indices, 0));
  }) as MaxPool<PoolSize, FractionalPoolOptions>;

/**
 * Maxima over windows at random places that give a chosen output size: images [N, C, H, W] or [C, H, W].
 *
 * @throws ValueError without a size or ratio; RuntimeError if the windows do not fit.
 * @see https://arxiv.org/abs/1412.6071
 */
export const fractionalMaxPool2d: MaxPool<PoolSize, FractionalPoolOptions> = explaining(
  'fractionalMaxPool2d',
  fractional(2),
);
/** The same for volumes [N, C, D, H, W] or [C, D, H, W]. */
export const fractionalMaxPool3d: MaxPool<PoolSize, FractionalPoolOptions> = explaining(
  'fractionalMaxPool3d',
  fractional(3),
);
