import { isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { linspace, zeros } from './create.js';
import { unary } from './define.js';
import { gather } from './gather.js';
import { stack } from './join.js';
import { bmm } from './matmul.js';
import { where } from './ternary.js';
import { expand, reshape, select, transpose, unsqueeze } from './view.js';

/** The nearest whole number, the even one of two. */
const nearest = unary('nearestInteger', 'same', (x) => e.round(x));

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** Default `'bilinear'`, which is trilinear on volumes; `'bicubic'` takes images only. */
  mode?: 'bilinear' | 'nearest' | 'bicubic';
  /** What lies outside: zeros (default), the nearest border, or a mirror image. */
  paddingMode?: 'zeros' | 'border' | 'reflection';
  /** Whether -1 and 1 are the centres of the corner pixels rather than their outer edges; default false. */
  alignCorners?: boolean | null;
}

/** Into the range of positions by mirroring at `low` / 2 and `high` / 2 (twice the bounds, to stay whole). */
function reflect(x: Tensor, low: number, high: number): Tensor {
  if (low === high) return x.mul(0);
  const start = low / 2;
  const span = (high - low) / 2;
  const from = x.sub(start).abs();
  const extra = from.remainder(span);
  const even = from.div(span).floor().remainder(2).eq(0);
  return where(even, extra.add(start), extra.neg().add(span + start));
}

/** A position outside brought in, as the padding mode has it. */
function inside(x: Tensor, size: number, options: Required<GridSampleOptions>): Tensor {
  if (options.paddingMode === 'zeros') return x;
  const clip = (t: Tensor) => t.clamp(0, size - 1);
  if (options.paddingMode === 'border') return clip(x);
  return clip(options.alignCorners ? reflect(x, 0, 2 * (size - 1)) : reflect(x, -1, 2 * size - 1));
}

/** [-1, 1] as positions in a dimension. */
const unnormalize = (x: Tensor, size: number, aligned: boolean): Tensor =>
  aligned ? x.add(1).mul((size - 1) / 2) : x.add(1).mul(size).sub(1).div(2);

/** Elements of `flat` ([N, C, positions]) at whole positions ([N, ...out] for each dimension), 0 outside. */
function elementsAt(flat: Tensor, places: readonly Tensor[], size: readonly number[]): Tensor {
  const [n, c] = flat.shape as readonly [number, number];
  let index: Tensor | undefined;
  let valid: Tensor | undefined;
  places.forEach((place, i) => {
    const last = (size[i] as number) - 1;
    const here = place.ge(0).logicalAnd(place.le(last));
    valid = valid ? valid.logicalAnd(here) : here;
    // A position that is not there may be anything, infinite included.
    const safe = where(here, place, 0).to('int64');
    index = index ? index.mul(size[i] as number).add(safe) : safe;
  });
  const out = (places[0] as Tensor).shape.slice(1);
  const wide = expand(unsqueeze(reshape(index as Tensor, [n, -1]), 1), [n, c, -1]);
  const values = reshape(gather(flat, 2, wide), [n, c, ...out]);
  return where(unsqueeze(valid as Tensor, 1), values, 0);
}

/** The weights of cubic interpolation with a = -0.75 for the four neighbours. */
function cubic(t: Tensor): Tensor[] {
  const a = -0.75;
  const near = (x: Tensor) =>
    x
      .mul(a + 2)
      .sub(a + 3)
      .mul(x)
      .mul(x)
      .add(1);
  const far = (x: Tensor) =>
    x
      .mul(a)
      .sub(5 * a)
      .mul(x)
      .add(8 * a)
      .mul(x)
      .sub(4 * a);
  const rest = t.neg().add(1);
  return [far(t.add(1)), near(t), near(rest), far(rest.add(1))];
}

function check(input: Tensor, grid: Tensor, mode: string): void {
  const dims = input.shape.length - 2;
  const same = input.shape.length === grid.shape.length && (dims === 2 || dims === 3);
  if (!same) {
    throw new RuntimeError(
      `gridSample: expected input and grid to have same number of dimensions, 4 or 5, but got input with sizes ${formatShape(input.shape)} and grid with sizes ${formatShape(grid.shape)}`,
    );
  }
  if (input.shape[0] !== grid.shape[0]) {
    throw new RuntimeError(
      `gridSample: expected grid and input to have same batch size, but got input with sizes ${formatShape(input.shape)} and grid with sizes ${formatShape(grid.shape)}`,
    );
  }
  if (grid.shape.at(-1) !== dims) {
    throw new RuntimeError(
      `gridSample: expected grid to have size ${dims} in last dimension, but got grid with sizes ${formatShape(grid.shape)}`,
    );
  }
  if (input.dtype !== grid.dtype || !isFloatingPoint(input.dtype)) {
    throw new RuntimeError(
      `gridSample: expected scalar type ${input.dtype} but found ${grid.dtype}: input and grid must have the same dtype`,
    );
  }
  if (input.shape.slice(2).some((n) => n === 0)) {
    throw new RuntimeError(
      `gridSample: expected input to have non-empty spatial dimensions, but input has sizes ${formatShape(input.shape)}`,
    );
  }
  if (mode === 'bicubic' && dims !== 2) {
    throw new RuntimeError('gridSample: bicubic interpolation only supports 4D input');
  }
}

/**
 * The elements of `input` [N, C, H, W] at the positions of `grid` [N, H', W', 2], which holds x and y in [-1, 1]; also
 * volumes [N, C, D, H, W] with a grid [N, D', H', W', 3] of x, y and z.
 *
 * @throws RuntimeError if shapes or dtypes do not fit; ValueError for an unknown mode.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
 */
export const gridSample = explaining(
  'gridSample',
  (input: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor => {
    const mode = options.mode ?? 'bilinear';
    const settings = {
      mode,
      paddingMode: options.paddingMode ?? 'zeros',
      alignCorners: options.alignCorners ?? false,
    } as const;
    if (!['bilinear', 'nearest', 'bicubic'].includes(mode)) {
      throw new ValueError(
        `gridSample: nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '${mode}'`,
      );
    }
    if (!['zeros', 'border', 'reflection'].includes(settings.paddingMode)) {
      throw new ValueError(
        `gridSample: nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: '${settings.paddingMode}'`,
      );
    }
    check(input, grid, mode);
    const size = input.shape.slice(2);
    const dims = size.length;
    const flat = reshape(input, [...input.shape.slice(0, 2), -1]);
    // The grid counts x first, the image last.
    const raw = size.map((length, i) =>
      unnormalize(select(grid, -1, dims - 1 - i), length, settings.alignCorners),
    );
    if (mode === 'bicubic') {
      const floors = raw.map((x) => x.detach().floor());
      const weights = raw.map((x, i) => cubic(x.sub(floors[i] as Tensor)));
      const places = floors.map((x, i) =>
        [-1, 0, 1, 2].map((k) => inside(x.add(k), size[i] as number, settings)),
      );
      return combine(flat, size, places, weights);
    }
    const at = raw.map((x, i) => inside(x, size[i] as number, settings));
    if (mode === 'nearest') {
      const values = elementsAt(
        flat,
        at.map((x) => nearest(x.detach())),
        size,
      );
      if (!grid.requiresGrad) return values;
      // The grid has a gradient here, of zeros.
      const never = zeros([], { dtype: 'bool', device: grid.device });
      return where(never, unsqueeze(at[0] as Tensor, 1), values);
    }
    const floors = at.map((x) => x.detach().floor());
    const parts = at.map((x, i) => x.sub(floors[i] as Tensor));
    return combine(
      flat,
      size,
      floors.map((x) => [x, x.add(1)]),
      parts.map((t) => [t.neg().add(1), t]),
    );
  },
);

/** The sum over all choices of one place a dimension, each with the product of its weights. */
function combine(
  flat: Tensor,
  size: readonly number[],
  places: readonly (readonly Tensor[])[],
  weights: readonly (readonly Tensor[])[],
): Tensor {
  const visit = (i: number, chosen: readonly Tensor[], weight: Tensor | undefined): Tensor => {
    if (i === places.length) {
      return elementsAt(flat, chosen, size).mul(unsqueeze(weight as Tensor, 1));
    }
    return (places[i] as readonly Tensor[])
      .map((place, k) => {
        const own = (weights[i] as readonly Tensor[])[k] as Tensor;
        return visit(i + 1, [...chosen, place], weight ? weight.mul(own) : own);
      })
      .reduce((sum, x) => sum.add(x));
  };
  return visit(0, [], undefined);
}

/**
 * The sampling grid of affine maps: `theta` [N, 2, 3] and size [N, C, H, W] give [N, H, W, 2]; [N, 3, 4] and
 * [N, C, D, H, W] give [N, D, H, W, 3].
 *
 * @throws ValueError if the two do not fit; NotImplementedError for other than images and volumes.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.affine_grid.html
 */
export const affineGrid = explaining(
  'affineGrid',
  (
    theta: Tensor,
    size: readonly number[],
    options: { alignCorners?: boolean | null } = {},
  ): Tensor => {
    const dims = size.length - 2;
    const n = size[0] as number;
    const wanted = [n, dims, dims + 1];
    if (!isFloatingPoint(theta.dtype)) {
      throw new ValueError(
        `affineGrid: Expected theta to have floating point type, but got ${theta.dtype}`,
      );
    }
    if (dims !== 2 && dims !== 3) {
      throw new NotImplementedError(
        `affineGrid: affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size ${formatShape(size)}.`,
      );
    }
    if (size.some((length) => !(length > 0))) {
      throw new ValueError(
        `affineGrid: Expected non-zero, positive output size. Got ${formatShape(size)}`,
      );
    }
    if (theta.shape.join() !== wanted.join()) {
      throw new ValueError(
        `affineGrid: Expected a batch of ${dims}D affine matrices of shape ${formatShape(wanted)} for size ${formatShape(size)}. Got ${formatShape(theta.shape)}.`,
      );
    }
    const aligned = options.alignCorners ?? false;
    const space = size.slice(2);
    const { dtype, device } = theta;
    const axes = space.map((length, i) => {
      const edge = aligned ? 1 : (length - 1) / length;
      const line = length > 1 ? linspace(-edge, edge, length, { dtype, device }) : undefined;
      const shape = new Array<number>(dims).fill(1);
      shape[i] = length;
      const along = line ?? theta.detach().reshape([-1]).slice(0, 0, 1).mul(0);
      return expand(reshape(along, shape), space);
    });
    const ones = (axes[0] as Tensor).mul(0).add(1);
    const base = reshape(stack([...axes.reverse(), ones], -1), [1, -1, dims + 1]);
    const points = bmm(expand(base, [n, -1, -1]), transpose(theta, 1, 2));
    return reshape(points, [n, ...space, dims]);
  },
);
