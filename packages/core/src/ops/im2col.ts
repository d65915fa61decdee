import { computeType } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, e, input, load } from '../expr.js';
import { op } from '../op.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { type Spatial, spatial } from './conv.js';
import { allOf, int, memo, within } from './plan.js';
import { squeeze, unsqueeze } from './view.js';

/** The blocks of an image, checked: two numbers each. */
export interface Blocks {
  readonly kernel: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
  readonly stride: readonly number[];
}

const outOf = (b: Blocks, size: readonly number[]): number[] =>
  size.map(
    (length, i) =>
      Math.floor(
        (length +
          2 * (b.padding[i] as number) -
          (b.dilation[i] as number) * ((b.kernel[i] as number) - 1) -
          1) /
          (b.stride[i] as number),
      ) + 1,
  );

const slot = (i: number) => ({
  dilation: int(4 * i),
  padding: int(4 * i + 1),
  stride: int(4 * i + 2),
  size: int(4 * i + 3),
});
const scalarsOf = (b: Blocks, size: readonly number[]): number[] =>
  [0, 1].flatMap((i) => [b.dilation, b.padding, b.stride, size].map((list) => list[i] as number));

/** In [N, C, KH, KW, OH, OW]: the coordinates under each tap, and whether they exist. */
const places = memo(() => {
  const at = [0, 1].map((i) => {
    const { dilation, padding, stride } = slot(i);
    return e.add(e.sub(e.mul(coord(4 + i), stride), padding), e.mul(coord(2 + i), dilation));
  });
  return {
    coords: [coord(0), coord(1), ...at],
    valid: allOf(at.map((x, i) => within(x, slot(i).size))),
  };
});

/** Blocks of [N, C, H, W] as columns: [N, C * KH * KW, blocks]. */
export const im2col: (self: Tensor, blocks: Blocks) => Tensor = op(
  'im2col',
  'self blocks',
  (self: Tensor, b: Blocks): Tensor => {
    const [n, c, ...size] = self.shape as readonly [number, number, number, number];
    const out = outOf(b, size);
    const result = allocate([n, c * numel(b.kernel), numel(out)], self.dtype, self.device);
    if (numel(result.shape) === 0) return result;
    const shape = [n, c, ...b.kernel, ...out];
    const { coords, valid } = places();
    execute({
      kind: 'map',
      shape,
      inputs: [self],
      scalars: scalarsOf(b, size),
      values: [load(0, computeType(self.dtype), coords, valid)],
      outputs: [new Tensor(result.storage, result.dtype, shape)],
    });
    return result;
  },
);

/** Columns [N, C * KH * KW, blocks] added up where the blocks of an image of `size` lay: [N, C, H, W]. */
export const col2im: (self: Tensor, size: readonly number[], blocks: Blocks) => Tensor = op(
  'col2im',
  'self outputSize blocks',
  (self: Tensor, size: readonly number[], b: Blocks): Tensor => {
    const out = outOf(b, size);
    const [n, rows] = self.shape as readonly [number, number, number];
    const c = rows / numel(b.kernel);
    const result = allocate([n, c, ...size], self.dtype, self.device);
    if (numel(result.shape) === 0) return result;
    result.fill_(0);
    const shape = [n, c, ...b.kernel, ...out];
    const { coords, valid } = places();
    execute({
      kind: 'scatter',
      shape,
      inputs: [self.reshape(shape)],
      scalars: scalarsOf(b, size),
      coords,
      valid,
      value: input(0, computeType(self.dtype)),
      output: result,
      combine: 'sum',
    });
    return result;
  },
);

/** Options of `unfoldImage` and `foldImage`. */
export interface FoldOptions {
  /** Distance between the elements of a block; default 1. */
  dilation?: Spatial;
  /** Zeros on both sides; default 0. */
  padding?: Spatial;
  /** Distance between blocks; default 1. */
  stride?: Spatial;
}

function blocksOf(name: string, kernelSize: Spatial, options: FoldOptions): Blocks {
  return {
    kernel: spatial(name, 'kernelSize', kernelSize, 2, 1),
    dilation: spatial(name, 'dilation', options.dilation ?? 1, 2, 1),
    padding: spatial(name, 'padding', options.padding ?? 0, 2, 0),
    stride: spatial(name, 'stride', options.stride ?? 1, 2, 1),
  };
}

/**
 * Sliding blocks of an image [N, C, H, W] or [C, H, W] as columns: [N, C * KH * KW, blocks]. In `nn.functional` it is `unfold`.
 *
 * @throws RuntimeError if no block fits.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
 */
export const unfoldImage = explaining(
  'unfoldImage',
  (self: Tensor, kernelSize: Spatial, options: FoldOptions = {}): Tensor => {
    const rank = self.shape.length;
    if ((rank !== 3 && rank !== 4) || self.shape.slice(rank - 3).some((n) => n === 0)) {
      throw new RuntimeError(
        `unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but got: ${formatShape(self.shape)}`,
      );
    }
    const b = blocksOf('unfold', kernelSize, options);
    const out = outOf(b, self.shape.slice(rank - 2));
    if (out.some((n) => n < 1)) {
      throw new RuntimeError(
        `unfold: Given input with spatial size ${formatShape(self.shape.slice(rank - 2))}, kernel_size=${formatShape(b.kernel)}, dilation=${formatShape(b.dilation)}, padding=${formatShape(b.padding)}, calculated shape of the array of sliding blocks as ${formatShape(out)}, but its components must be at least one.`,
      );
    }
    return rank === 4 ? im2col(self, b) : squeeze(im2col(unsqueeze(self, 0), b), 0);
  },
);

/**
 * The sum of blocks where they lay: columns [N, C * KH * KW, blocks] or without N into an image of `outputSize`.
 * In `nn.functional` it is `fold`.
 *
 * @throws RuntimeError if the number of columns or rows does not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
 */
export const foldImage = explaining(
  'foldImage',
  (self: Tensor, outputSize: Spatial, kernelSize: Spatial, options: FoldOptions = {}): Tensor => {
    const rank = self.shape.length;
    if (rank !== 2 && rank !== 3) {
      throw new RuntimeError(
        `fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, but got: ${formatShape(self.shape)}`,
      );
    }
    const b = blocksOf('fold', kernelSize, options);
    const size = spatial('fold', 'outputSize', outputSize, 2, 1);
    const out = outOf(b, size);
    const [rows, columns] = self.shape.slice(rank - 2) as [number, number];
    if (rows % numel(b.kernel) !== 0) {
      throw new RuntimeError(
        `fold: Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=${rows} and kernel_size=${formatShape(b.kernel)}.`,
      );
    }
    if (columns !== numel(out)) {
      throw new RuntimeError(
        `fold: Given output_size=${formatShape(size)}, kernel_size=${formatShape(b.kernel)}, dilation=${formatShape(b.dilation)}, padding=${formatShape(b.padding)}, stride=${formatShape(b.stride)}, expected size of input's dimension 2 to match the calculated number of sliding blocks ${out.join(' * ')} = ${numel(out)}, but got input.size(2)=${columns}.`,
      );
    }
    return rank === 3 ? col2im(self, size, b) : squeeze(col2im(unsqueeze(self, 0), size, b), 0);
  },
);
