import {
  interpolate,
  isFloatingPoint,
  RuntimeError,
  type Tensor,
  takes,
  tensor,
} from '@sconce/core';
import * as signatures from '../signatures.js';
import { pairOf, type Size, sizeOfImage } from './transform.js';

/** How pixels are made of others. */
export type Interpolation = 'nearest' | 'nearest-exact' | 'bilinear' | 'bicubic';

/** Options of `resize`. */
export interface ResizeOptions {
  /** Default `'bilinear'`. */
  interpolation?: Interpolation;
  /** The most pixels of the longer side, where `size` is one number. */
  maxSize?: number;
  /** Whether to average over all the pixels that become one; default true, for bilinear and bicubic. */
  antialias?: boolean;
}

/** The size of a resized image: one number is that of the shorter side. */
export function resizedSize(
  [height, width]: readonly [number, number],
  size: Size,
  maxSize?: number,
): readonly [number, number] {
  if (typeof size !== 'number') {
    if (maxSize !== undefined)
      throw new RuntimeError('resize: maxSize should only be passed if size is one number');
    return pairOf('resize', size);
  }
  pairOf('resize', size);
  if (maxSize !== undefined && maxSize <= size)
    throw new RuntimeError(
      `resize: maxSize = ${maxSize} must be strictly greater than the requested size for the smaller edge, ${size}`,
    );
  const [short, long] = width <= height ? [width, height] : [height, width];
  let newShort = size;
  let newLong = Math.trunc((size * long) / short);
  if (maxSize !== undefined && newLong > maxSize) {
    newShort = Math.trunc((maxSize * newShort) / newLong);
    newLong = maxSize;
  }
  return width <= height ? [newLong, newShort] : [newShort, newLong];
}

const triangle = (x: number): number => Math.max(0, 1 - Math.abs(x));

/** Cubic convolution with a = -0.5. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2;
  return 0;
}

/** The share of each source pixel in each pixel of a resized side: [to, from]. */
function shares(from: number, to: number, mode: 'bilinear' | 'bicubic'): Float32Array {
  const scale = from / to;
  const [filter, reach] = mode === 'bilinear' ? [triangle, 1] : [cubic, 2];
  const support = scale >= 1 ? reach * scale : reach;
  const inverse = scale >= 1 ? 1 / scale : 1;
  const matrix = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    const center = scale * (i + 0.5);
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), from);
    let total = 0;
    for (let j = first; j < end; j++) total += filter((j - center + 0.5) * inverse);
    for (let j = first; j < end; j++)
      matrix[i * from + j] = filter((j - center + 0.5) * inverse) / total;
  }
  return matrix;
}

/**
 * An image at another resolution.
 *
 * Averaging (`antialias`) is PyTorch's: a triangle or cubic filter as wide as the pixels that become one. Integer images are computed in
 * float32 and rounded.
 *
 * @param size the shorter side, or [height, width].
 * @see https://pytorch.org/vision/stable/generated/torchvision.transforms.functional.resize.html
 */
export function resize(image: Tensor, size: Size, options: ResizeOptions = {}): Tensor {
  takes('resize', signatures.resize, arguments);
  const { interpolation = 'bilinear', antialias = true } = options;
  const [h, w] = sizeOfImage('resize', image);
  const [height, width] = resizedSize([h, w], size, options.maxSize);
  if (h === height && w === width) return image;
  const { dtype } = image;
  const whole = !isFloatingPoint(dtype);
  const smooth = interpolation === 'bilinear' || interpolation === 'bicubic';
  const source =
    smooth && (whole || dtype === 'float16' || dtype === 'bfloat16') ? image.to('float32') : image;
  let result: Tensor;
  if (smooth && antialias) {
    const weights = (from: number, to: number): Tensor =>
      tensor(shares(from, to, interpolation), { device: image.device })
        .reshape(to, from)
        .to(source.dtype);
    result = source;
    if (w !== width) result = result.matmul(weights(w, width).t());
    if (h !== height) result = weights(h, height).matmul(result);
  } else {
    const lead = source.shape.slice(0, -2);
    const flat = source.reshape(1, -1, h, w);
    const out = interpolate(flat, {
      size: [height, width],
      mode: interpolation,
      ...(smooth && { alignCorners: false }),
    });
    result = out.reshape(...lead, height, width);
  }
  if (source === image) return result;
  if (!whole) return result.to(dtype);
  const rounded = result.round();
  return (interpolation === 'bicubic' && dtype === 'uint8' ? rounded.clamp(0, 255) : rounded).to(
    dtype,
  );
}
