import { isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import type { Tensor } from '../tensor.js';
import { antialiased } from './antialias.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './avg-pool.js';
import { type UpsampleMode, upsample } from './upsample.js';

/** The modes of `interpolate`. */
export type InterpolateMode =
  | 'nearest'
  | 'nearest-exact'
  | 'linear'
  | 'bilinear'
  | 'bicubic'
  | 'trilinear'
  | 'area';

/** Options of `interpolate`; one of `size` and `scaleFactor` is needed. */
export interface InterpolateOptions {
  /** The resolution wanted. */
  size?: number | readonly number[] | null;
  /** By how much to multiply the resolution. */
  scaleFactor?: number | readonly number[] | null;
  /** Default `'nearest'`; `linear` takes 3, `bilinear` and `bicubic` 4, `trilinear` 5 dimensions. */
  mode?: InterpolateMode;
  /** Whether the centres of the corner pixels keep their place; default false. */
  alignCorners?: boolean | null;
  /** Compute the factor again from the rounded size; default false. */
  recomputeScaleFactor?: boolean | null;
  /**
   * Average over all that an output element covers when shrinking, as image libraries do: `bilinear` and
   * `bicubic` only; default false.
   */
  antialias?: boolean;
}

const modes: Record<InterpolateMode, { kind: UpsampleMode | 'area'; dims: readonly number[] }> = {
  nearest: { kind: 'nearest', dims: [1, 2, 3] },
  'nearest-exact': { kind: 'nearestExact', dims: [1, 2, 3] },
  linear: { kind: 'linear', dims: [1] },
  bilinear: { kind: 'linear', dims: [2] },
  bicubic: { kind: 'cubic', dims: [2] },
  trilinear: { kind: 'linear', dims: [3] },
  area: { kind: 'area', dims: [1, 2, 3] },
};

function perDimension(
  what: string,
  value: number | readonly number[],
  dims: number,
): readonly number[] {
  if (typeof value === 'number') return new Array<number>(dims).fill(value);
  if (value.length !== dims) {
    throw new ValueError(
      `interpolate: Input and ${what} must have the same number of spatial dimensions, but got input with ${dims} spatial dimensions and ${what} of shape ${formatShape(value)}`,
    );
  }
  return value;
}

/**
 * Whether positions follow from the two lengths although a factor was given: as in PyTorch a length that stays is left
 * alone where values are blended linearly or averaged, and in images `nearest` repeats each element of a doubled one.
 */
function keepsWhole(
  kind: UpsampleMode | 'area',
  dims: number,
  antialias: boolean | undefined,
  growth: number,
): boolean {
  if (kind === 'nearest' && dims === 2) return growth === 1 || growth === 2;
  return growth === 1 && (kind === 'linear' || antialias === true);
}

/**
 * [N, C, ...] at another resolution. A length that a `scaleFactor` does not change is left as it is by `linear`, `bilinear`,
 * `trilinear`, with `antialias`, and by `nearest` in images; the other modes sample it anew at steps of 1 / factor.
 *
 *
 * @throws ValueError if both or none of `size` and `scaleFactor` are given, or the mode does not fit the dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
 * @example interpolate(images, { scaleFactor: 2, mode: 'bilinear' })
 */
export const interpolate = explaining(
  'interpolate',
  (self: Tensor, options: InterpolateOptions = {}): Tensor => {
    const { mode = 'nearest' } = options;
    const aligned = options.alignCorners ?? false;
    const dims = self.shape.length - 2;
    const known = modes[mode];
    if (known === undefined || !known.dims.includes(dims)) {
      throw new NotImplementedError(
        `interpolate: Input Error: Only 3D, 4D and 5D input Tensors supported (got ${self.shape.length}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ${mode})`,
      );
    }
    if (
      known.kind !== 'linear' &&
      known.kind !== 'cubic' &&
      typeof options.alignCorners === 'boolean'
    ) {
      throw new ValueError(
        'interpolate: align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear',
      );
    }
    if (options.antialias && (dims !== 2 || (known.kind !== 'linear' && known.kind !== 'cubic'))) {
      throw new ValueError(
        'interpolate: Anti-alias option is only supported for bilinear and bicubic modes',
      );
    }
    const { size, scaleFactor } = options;
    const given = (x: unknown) => x !== undefined && x !== null;
    if (given(size) && options.recomputeScaleFactor) {
      throw new ValueError(
        'interpolate: recompute_scale_factor is not meaningful with an explicit size.',
      );
    }
    if (given(size) && given(scaleFactor)) {
      throw new ValueError('interpolate: only one of size or scale_factor should be defined');
    }
    if (!given(size) && !given(scaleFactor)) {
      throw new ValueError('interpolate: either size or scale_factor should be defined');
    }
    const from = self.shape.slice(2);
    let scales: readonly number[] | undefined;
    let to: readonly number[];
    if (given(size)) to = perDimension('output size', size as number, dims);
    else {
      const by = perDimension('scale_factor', scaleFactor as number, dims);
      to = from.map((length, i) => Math.floor(length * (by[i] as number)));
      if (!options.recomputeScaleFactor) scales = by;
    }
    if (known.kind === 'area') {
      return [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d][dims - 1]?.(
        self,
        to,
      ) as Tensor;
    }
    if (to.some((n) => n < 1) || from.some((n) => n < 1)) {
      throw new ValueError(
        `interpolate: Input and output sizes should be greater than 0, but got input ${formatShape(from)} output ${formatShape(to)}`,
      );
    }
    if (self.shape[1] === 0) {
      throw new RuntimeError(
        `interpolate: Non-empty ${self.shape.length}D data tensor expected but got a tensor with sizes ${formatShape(self.shape)}`,
      );
    }
    const bytes = known.kind.startsWith('nearest') && self.dtype === 'uint8';
    if (!isFloatingPoint(self.dtype) && !bytes) {
      throw new NotImplementedError(
        `interpolate: "upsample_${mode}${dims}d" not implemented for '${self.dtype}'`,
      );
    }
    const factors = from.map((length, i) => {
      const wanted = to[i] as number;
      if (aligned) return wanted > 1 ? (length - 1) / (wanted - 1) : 0;
      const scale = keepsWhole(known.kind, dims, options.antialias, wanted / length)
        ? undefined
        : scales?.[i];
      return scale !== undefined && scale > 0 ? 1 / scale : length / wanted;
    });
    if (options.antialias) {
      const filter = known.kind === 'cubic' ? 'cubic' : 'linear';
      return antialiased(self, to as [number, number], filter, factors as [number, number]);
    }
    return upsample(self, [...to], known.kind, aligned, factors);
  },
);

type Sizes = Pick<InterpolateOptions, 'size' | 'scaleFactor'>;

/** `interpolate` with `mode: 'nearest'`. */
export const upsampleNearest = explaining(
  'upsampleNearest',
  (self: Tensor, options: Sizes): Tensor => interpolate(self, { ...options, mode: 'nearest' }),
);
/** `interpolate` with `mode: 'bilinear'` and aligned corners. */
export const upsampleBilinear = explaining(
  'upsampleBilinear',
  (self: Tensor, options: Sizes): Tensor =>
    interpolate(self, { ...options, mode: 'bilinear', alignCorners: true }),
);
